/** `turnward policy replay`: what a draft would have decided otherwise, from the decision log. */
import { printable } from '../../../audit/format-tree.ts'
import { loadConfig } from '../../../config/load.ts'
import { openStore } from '../../../store/store.ts'
import { exitCodes } from '../../exit-codes.ts'
import { fail, print, table } from '../../output.ts'
import { openingSettingsOf, readingPlaceOf, storePlaceOf } from '../../places.ts'
import { sinceOf } from '../reading-use.ts'
import { type LogReplay, replayLog } from './replaying-log.ts'

export interface ReplayVerbOptions {
  readonly config: string
  readonly json?: boolean
  readonly since: string
  /** Path of the draft. */
  readonly with: string
}

const mostRecords = 200_000

export async function replayPolicy(options: ReplayVerbOptions): Promise<void> {
  try {
    const now = await loadConfig(options.config, process.env)
    const draft = await loadConfig(options.with, process.env)
    const settings = openingSettingsOf(now)
    const store = await openStore(storePlaceOf(settings))
    try {
      const log = { place: readingPlaceOf(settings), listings: store.listings }
      const report = await replayLog(log, now, draft, { since: sinceOf(options.since) ?? 0, most: mostRecords })
      print(options, report, reportText(report))
      if (report.changed > 0) process.exitCode = exitCodes.negative
    } finally {
      await store.close()
    }
  } catch (error) {
    fail(options, error)
  }
}

function reportText(report: LogReplay): string {
  const { decisions, same, otherReasons, changed, notKnown, changes, unknown } = report
  const span = report.from === null || report.to === null ? '' : `, ${minute(report.from)} to ${minute(report.to)}`
  const lines = [
    `${decisions} decisions on calls${span}${report.truncated ? ' (older ones left out: too many)' : ''}`,
    `as before ${same + otherReasons}${otherReasons === 0 ? '' : ` (${otherReasons} for other reasons)`}, otherwise ${changed}, not known ${notKnown}`,
  ]
  if (report.otherRevisions > 0)
    lines.push(
      `${report.otherRevisions} were made under other revisions of the configuration: of those only what can be decided anew is known`,
    )
  if (changes.length > 0) {
    const rows = changes.map(({ tool, principal, was, becomes, count, decidedBy, turns }) => [
      printable(tool),
      printable(principal),
      `${was} -> ${becomes}`,
      String(count),
      printable(decidedBy.join(', ')),
      turns.join(' '),
    ])
    lines.push('', 'otherwise', table([['TOOL', 'FOR', 'ACTION', 'CALLS', 'DECIDED BY', 'FOR EXAMPLE'], ...rows]))
  }
  if (unknown.length > 0) {
    const rows = unknown.map(({ tool, principal, was, count, asks }) => [
      printable(tool),
      printable(principal),
      was,
      String(count),
      printable(asks.map(({ source, needs }) => `${source} asks for ${needs}`).join('; ')),
    ])
    lines.push('', 'not known', table([['TOOL', 'FOR', 'WAS', 'CALLS', 'WHAT THE LOG DOES NOT HAVE'], ...rows]))
  }
  if (report.shortened) lines.push('', 'There is more than this report has room for.')
  return lines.join('\n')
}

function minute(time: number): string {
  return new Date(time).toISOString().slice(0, 16).replace('T', ' ')
}
