/** `turnward policy readiness`: what enforcing would have refused, what nobody described, the lines that settle it, and whether to switch. */
import { printable } from '../../audit/format-tree.ts'
import { loadConfig } from '../../config/load.ts'
import type { Snapshot } from '../../config/snapshot.ts'
import { exitCodes } from '../exit-codes.ts'
import { fail, print, table } from '../output.ts'
import { openingSettingsOf, readingPlaceOf } from '../places.ts'
import { listServers } from './listed-tools.ts'
import { readiness, type Readiness } from './readiness-report.ts'
import { readUse, sinceOf, type ReadUse } from './reading-use.ts'
import { configuredPacks } from './suggest.ts'
import { serverOf, suggest } from './suggestion.ts'
import { suggestionYaml } from './suggestion-yaml.ts'

export interface ReadinessOptions {
  readonly config: string
  readonly json?: boolean
  readonly since?: string
  readonly offline?: boolean
}

/** The line that ends observing. */
const switchLine = 'posture: standard'

export async function reportReadiness(options: ReadinessOptions): Promise<void> {
  try {
    const snapshot = await loadConfig(options.config, process.env)
    const since = sinceOf(options.since)
    const query = since === undefined ? { revision: snapshot.revision } : { since }
    const read = await readUse(readingPlaceOf(openingSettingsOf(snapshot)), query)
    const report = readiness(snapshot.policy, read.uses, (tool) => serverOf(snapshot, tool))
    const yaml = await settlingLines(snapshot, report, read, options.offline === true)
    const { from, to, truncated } = read
    print(options, { ...report, ...query, from, to, truncated, yaml, switch: switchLine }, reportText(report, read, query, yaml))
    if (!report.safe) process.exitCode = exitCodes.negative
  } catch (error) {
    fail(options, error)
  }
}

/** Drafts for the tools that were really called; only their servers are asked. */
async function settlingLines(snapshot: Snapshot, { undescribed }: Readiness, { uses }: ReadUse, offline: boolean): Promise<string> {
  const servers = [...new Set(undescribed.map(({ server }) => server))].filter((server) => snapshot.servers.has(server))
  const listings = offline
    ? servers.map((server) => ({ server, tools: undefined, detail: undefined }))
    : await listServers(snapshot, servers)
  const called = new Set(undescribed.map(({ tool }) => tool))
  const { drafts, packs } = suggest(snapshot, listings, uses)
  return suggestionYaml({ packs, drafts: drafts.filter(({ tool }) => called.has(tool)) }, configuredPacks(snapshot))
}

function reportText(
  report: Readiness,
  read: ReadUse,
  query: { readonly revision?: string; readonly since?: number },
  yaml: string,
): string {
  const { calls, wouldRefuse, undescribed, verdict, safe, posture } = report
  const span = read.from === null || read.to === null ? '' : `, ${day(read.from)} to ${day(read.to)}`
  const lines = [
    `${calls} tool calls seen ${query.revision === undefined ? 'since then' : `under revision ${query.revision}`}${span}${read.truncated ? ' (older ones left out: too many)' : ''}`,
  ]
  if (wouldRefuse.length > 0) {
    const rows = wouldRefuse.flatMap(({ tool, refused, calls: made, because }) =>
      because.map((gap, index) => [
        index === 0 ? printable(tool) : '',
        index === 0 ? `${refused} of ${made}` : '',
        `${gap.kind} (${gap.source}): ${gap.count}`,
        gap.turns.join(' '),
      ]),
    )
    lines.push('', '`standard` would have refused', table([['TOOL', 'CALLS', 'BECAUSE', 'FOR EXAMPLE'], ...rows]))
  }
  if (undescribed.length > 0) {
    lines.push(
      '',
      'nobody described',
      table([['TOOL', 'SEEN', 'FROM'], ...undescribed.map(({ tool, seen, server }) => [printable(tool), String(seen), server])]),
    )
  }
  if (yaml !== '') lines.push('', 'would settle that, once you have read it', yaml.trimEnd())
  lines.push('', verdict)
  if (posture === 'observe') lines.push(safe ? `switch: ${switchLine}` : `Then switch: ${switchLine}`)
  return lines.join('\n')
}

function day(time: number): string {
  return new Date(time).toISOString().slice(0, 16).replace('T', ' ')
}
