/**
 * `turnward policy probe`: text that somebody marked goes in through tools that write, and where it comes out again as trusted,
 * words of a stranger would as well. Calls what the plan names, through a running gateway, and nothing else.
 */
import { randomBytes } from 'node:crypto'
import { printable } from '../../../audit/format-tree.ts'
import { loadConfig } from '../../../config/load.ts'
import type { Snapshot } from '../../../config/snapshot.ts'
import { asTurnwardError, TurnwardError } from '../../../core/error.ts'
import { asText, isObject, type JsonObject } from '../../../core/json.ts'
import { effectiveContract } from '../../../policy/contracts.ts'
import type { ToolHints } from '../../../policy/types.ts'
import { exitCodes } from '../../exit-codes.ts'
import { connect, type ConnectionOptions } from '../../gateway-client.ts'
import type { McpClient } from '../../mcp-client.ts'
import { fail, print, table } from '../../output.ts'
import { marked, type ProbeCall, readProbePlan } from './probe-plan.ts'

export interface ProbeOptions extends ConnectionOptions {
  readonly config: string
  readonly yes?: boolean
}

export interface ProbedRead {
  readonly tool: string
  /** `trusted`: it gave back a mark under a contract that calls its results trusted. `as written`: under the label it was written with. */
  readonly found: 'trusted' | 'as written' | 'untrusted' | 'nothing' | 'failed'
  /** Tools that had written what it gave back. */
  readonly writtenBy: readonly string[]
  /** The contract its results are read under; null when nobody has described it. */
  readonly contract: string | null
}

export async function probePolicy(plan: string, options: ProbeOptions): Promise<void> {
  try {
    const snapshot = await loadConfig(options.config, process.env)
    const { writes, reads, cleans } = await readProbePlan(plan)
    if (options.yes !== true) {
      const named = [...writes, ...reads, ...cleans].map(({ tool }) => tool).join(', ')
      throw new TurnwardError('request.invalid', { subject: '--yes', why: `this really calls ${named}`, fix: 'Say --yes if you mean it.' })
    }
    // Each call by itself: what one has read must not have another one refused.
    const run = <Result>(work: (client: McpClient) => Promise<Result>) => inOwnSession(options, work)
    const hints = await run(async (client) => hintsOf(await client.listTools()))
    const marks = new Map<string, string>()
    const all = `turnward-probe-${randomBytes(6).toString('hex')}`
    const written: { tool: string; mark: string; ok: boolean; why?: string }[] = []
    for (const [index, { tool, args }] of writes.entries()) {
      const mark = `${all}-${index + 1}`
      const outcome = await run((client) => called(client, { tool, args }, mark))
      written.push({ tool, mark, ok: outcome.ok, ...(outcome.ok ? {} : { why: outcome.text.slice(0, 200) }) })
      if (outcome.ok) marks.set(mark, tool)
    }
    const found: ProbedRead[] = []
    try {
      for (const read of reads) found.push(await probed(snapshot, hints, read, marks, () => run((client) => called(client, read, all))))
    } finally {
      for (const clean of cleans) for (const mark of marks.keys()) await run((client) => called(client, clean, mark))
    }
    const trusted = found.filter((one) => one.found === 'trusted').length
    const isTold = written.some(({ ok }) => ok) && found.some((one) => one.found !== 'failed')
    print(options, { ok: isTold && trusted === 0, written, reads: found }, reportText(written, found))
    if (trusted > 0 || !isTold) process.exitCode = exitCodes.negative
  } catch (error) {
    fail(options, error)
  }
}

async function inOwnSession<Result>(options: ProbeOptions, work: (client: McpClient) => Promise<Result>): Promise<Result> {
  const client = await connect({ ...options, session: `probe-${randomBytes(6).toString('hex')}` })
  try {
    return await work(client)
  } finally {
    await client.close()
  }
}

async function called(
  client: McpClient,
  { tool, args }: ProbeCall,
  mark: string,
): Promise<{ readonly ok: boolean; readonly text: string }> {
  try {
    const result = await client.callTool(tool, marked(args, mark))
    return { ok: result.isError !== true, text: JSON.stringify(result) }
  } catch (error) {
    return { ok: false, text: asTurnwardError(error).message }
  }
}

async function probed(
  { policy }: Snapshot,
  hints: ReadonlyMap<string, ToolHints>,
  { tool }: ProbeCall,
  marks: ReadonlyMap<string, string>,
  read: () => Promise<{ readonly ok: boolean; readonly text: string }>,
): Promise<ProbedRead> {
  const own = policy.contractOf(tool)
  const { ok, text } = await read()
  const writtenBy = [...marks].filter(([mark]) => text.includes(mark)).map(([, writer]) => writer)
  const base = { tool, writtenBy, contract: own?.source ?? null }
  if (writtenBy.length === 0) return { ...base, found: ok ? 'nothing' : 'failed' }
  const { contract } = effectiveContract(own, { name: tool, server: tool, hints: hints.get(tool) })
  const isTrusted = (contract.output.trust ?? policy.trustRanks.length - 1) >= policy.trustRanks.length - 1
  if (!isTrusted || contract.output.as === 'quarantine') return { ...base, found: 'untrusted' }
  return { ...base, found: own?.remembers === undefined ? 'trusted' : 'as written' }
}

function hintsOf(tools: readonly JsonObject[]): ReadonlyMap<string, ToolHints> {
  return new Map(tools.map(({ name, annotations }) => [asText(name), isObject(annotations) ? (annotations as ToolHints) : {}]))
}

function reportText(written: readonly { tool: string; mark: string; ok: boolean; why?: string }[], found: readonly ProbedRead[]): string {
  const trusted = found.filter((one) => one.found === 'trusted')
  return [
    table([
      ['WRITTEN BY', 'MARK', ''],
      ...written.map(({ tool, mark, ok, why }) => [printable(tool), mark, ok ? '' : `failed: ${printable(why ?? '')}`]),
    ]),
    '',
    table([
      ['READ BY', 'GIVES BACK', 'OF', 'CONTRACT'],
      ...found.map(({ tool, found: what, writtenBy, contract }) => [
        printable(tool),
        what,
        printable(writtenBy.join(', ')) || '-',
        contract ?? '(undescribed)',
      ]),
    ]),
    '',
    trusted.length === 0
      ? 'No mark came back as trusted.'
      : `${trusted.length} tools give back as trusted what was written: whoever may write there can write to your agents.`,
  ].join('\n')
}
