/** `turnward turns`: what agents did, from the decision log of this machine. */
import type { Command } from 'commander'
import type { decisionsSchema } from '@turnward/contract/api/decisions'
import type { DecisionRecord } from '@turnward/contract/decision'
import type { z } from 'zod'
import { findTurn, readRecords, tailRecords } from '../../audit/read.ts'
import type { StoredRecord } from '../../audit/stored-record.ts'
import { formatTurnTree, printable } from '../../audit/format-tree.ts'
import { turnTree } from '../../audit/tree.ts'
import type { Store } from '../../store/store.ts'
import { TurnwardError } from '../../core/error.ts'
import { type ApiOptions, askApi, pathOf } from '../api-client.ts'
import { followGateway, type Gap } from '../following-gateway.ts'
import { fail, print } from '../output.ts'
import { logPlaceAt, type DataDirOptions } from '../places.ts'
import { onStore } from '../on-store.ts'
import { administratorKeyOption, configOption, dataDirOption, jsonOption } from '../shared-options.ts'
import { addTurnsList } from './turns-list.ts'

interface TurnsOptions extends DataDirOptions {
  readonly json?: boolean
  readonly last?: string
  readonly follow?: boolean
  readonly url?: string
  readonly key?: string
}

export function addTurns(program: Command): void {
  const turns = program.command('turns').description('read what agents did')
  addTurnsList(turns)
  turns
    .command('tail')
    .description('print decisions and outcomes as they happen')
    .addOption(configOption())
    .addOption(dataDirOption())
    .option('-n, --last <count>', 'begin with this many earlier records', '10')
    .option('--url <url>', 'of the running gateway at this address, instead of the log of this machine; 200 earlier ones at most')
    .addOption(administratorKeyOption())
    .option('--no-follow', 'stop at the end')
    .addOption(jsonOption())
    .addHelpText(
      'after',
      '\nExample:\n  $ turnward turns tail -n 20\n  $ TURNWARD_KEY=tw_… turnward turns tail --url https://turnward.acme.example',
    )
    .action(tail)
  turns
    .command('show')
    .description('print one turn as a tree: model calls, tool calls, labels, refusals')
    .argument('<turn>', 'turn id, its beginning, or `last`')
    .addOption(configOption())
    .addOption(dataDirOption())
    .addOption(jsonOption())
    .addHelpText('after', '\nExample:\n  $ turnward turns show last')
    .action(show)
  turns
    .command('recount')
    .description('forget the summaries that lists and usage are made from; the gateway makes them again from the decision log')
    .addOption(configOption())
    .addOption(jsonOption())
    .addHelpText('after', '\nExample:\n  $ turnward turns recount')
    .action(recount)
}

async function recount(options: TurnsOptions): Promise<void> {
  const forget = async (store: Store): Promise<{ readonly recounted: true }> => {
    await store.summaries.reset()
    return { recounted: true }
  }
  await onStore(options, forget, () => 'Forgotten. A gateway that runs, or starts, counts the decision log from its beginning.')
}

async function tail(options: TurnsOptions): Promise<void> {
  try {
    const count = Number(options.last ?? 10)
    if (!Number.isInteger(count) || count < 0)
      throw new TurnwardError('request.invalid', { subject: '--last', why: 'it is not a whole number' })
    if (options.url !== undefined) return await tailGateway({ ...options, url: options.url }, count)
    const place = await logPlaceAt(options)
    if (options.follow === false) {
      const earlier = count === 0 ? [] : await readRecords(place, { limit: count, last: true })
      for (const record of earlier) printRecord(options, record)
      return
    }
    for await (const record of tailRecords(place, { signal: untilStopped(), last: count })) printRecord(options, record)
  } catch (error) {
    fail(options, error)
  }
}

/** Aborted by Ctrl-C, which ends what follows in order. */
function untilStopped(): AbortSignal {
  const stop = new AbortController()
  process.once('SIGINT', () => stop.abort())
  process.once('SIGTERM', () => stop.abort())
  return stop.signal
}

async function tailGateway(options: TurnsOptions & ApiOptions, last: number): Promise<void> {
  if (options.follow === false) {
    if (last === 0) return
    const found = await askApi(options, pathOf('/api/decisions', { limit: String(last) }))
    for (const decision of (found as unknown as z.output<typeof decisionsSchema>).decisions.toReversed()) printRecord(options, decision)
    return
  }
  for await (const followed of followGateway(options, { last, signal: untilStopped() })) {
    if ('decision' in followed) printRecord(options, followed.decision)
    // Not among the records: they may go into a program.
    else process.stderr.write(`${gapLine(followed.gap)}\n`)
  }
}

function gapLine({ reason, count }: Gap): string {
  return `${count === null ? 'Some' : String(count)} records are left out (${reason}): see \`turnward turns list\`.`
}

function printRecord(options: TurnsOptions, stored: Pick<StoredRecord, 'seq' | 'record'>): void {
  print(options, { seq: stored.seq, ...stored.record }, recordLine(stored.record))
}

function recordLine(record: DecisionRecord): string {
  const time = new Date(record.time).toISOString().slice(11, 23)
  const ended = `${record.outcome ?? 'done'}${record.latencyMs === undefined ? '' : ` ${record.latencyMs} ms`}`
  const what = record.type === 'outcome' ? ended : record.action === 'observe' ? 'would be refused' : record.action
  const line = `${time}  ${record.turn ?? '-'}  ${record.kind.padEnd(13)}  ${what.padEnd(16)}  ${record.subject}  (${record.principal})  ${record.rules.join(', ')}`
  // Nobody else says why: the call ran.
  return printable(record.type === 'decision' && record.action === 'observe' ? `${line}: ${record.reason}` : line)
}

async function show(turn: string, options: TurnsOptions): Promise<void> {
  try {
    const place = await logPlaceAt(options)
    const id = await findTurn(place, turn)
    if (id === undefined) throw new TurnwardError('turn.not_found', { subject: turn })
    const tree = turnTree((await readRecords(place, { turn: id, limit: 100_000 })).map((stored) => stored.record))
    print(options, tree, formatTurnTree(tree))
  } catch (error) {
    fail(options, error)
  }
}
