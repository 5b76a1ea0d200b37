/** `turnward servers logs`: what a server wrote to stderr, when it started and why it ended, from the files of the data folder. */
import { join } from 'node:path'
import { setTimeout as pause } from 'node:timers/promises'
import { loadConfig } from '../../config/load.ts'
import { TurnwardError } from '../../core/error.ts'
import type { ServerLogLine } from '../../tools/runners/server-logs.ts'
import { fail, print, type OutputOptions } from '../output.ts'
import { FollowedLines, keptLines, shownLine } from './kept-lines.ts'
import { serverNamed } from './written-entry.ts'

export interface LogsOptions extends OutputOptions {
  readonly config: string
  readonly lines: string
  readonly follow?: boolean
}

const lookAgainMs = 250

export async function showLogs(name: string, options: LogsOptions): Promise<void> {
  try {
    const snapshot = await loadConfig(options.config, process.env)
    const { config } = serverNamed(snapshot, name)
    if (config.transport !== 'stdio')
      throw new TurnwardError('request.invalid', { subject: name, why: 'it is not started here, so nothing it writes is known' })
    const most = Number(options.lines)
    if (!/^\d{1,6}$/.test(options.lines)) throw new TurnwardError('request.invalid', { subject: '--lines', why: 'it is no number' })
    const folder = join(snapshot.dataDir, 'logs')
    if (options.follow === true) return await follow(folder, name, most, options)
    const kept = await keptLines(folder, name)
    const lines = most === 0 ? [] : kept.slice(-most)
    print(options, { server: name, lines }, kept.length === 0 ? `Nothing is kept of ${name}.` : lines.map(shownLine).join('\n'))
  } catch (error) {
    fail(options, error)
  }
}

/** Goes on until it is ended. */
async function follow(folder: string, name: string, most: number, options: OutputOptions): Promise<never> {
  const followed = new FollowedLines(folder, name)
  const say = (lines: readonly ServerLogLine[]): void => lines.forEach((line) => print(options, line, shownLine(line)))
  const kept = await followed.next()
  say(most === 0 ? [] : kept.slice(-most))
  for (;;) {
    await pause(lookAgainMs)
    say(await followed.next())
  }
}
