/** A gateway that somebody starts at a terminal, where it says what it keeps out of logs. */
import { spawn, spawnSync, type ChildProcess } from 'node:child_process'
import { readFile } from 'node:fs/promises'
import { join } from 'node:path'
import { repositoryRoot } from './gateway-process.ts'
import { until } from './until.ts'

/** From util-linux: runs a command at a terminal of its own. */
export const hasTerminals = spawnSync('script', ['--version']).status === 0

export interface Started {
  /** What stands at the terminal so far, its log included. */
  output(): string
  /** Resolves when it has ended. */
  stop(): Promise<void>
}

/** Resolves when it has said everything that it says at its start. */
export async function startAtTerminal(folder: string, configPath: string): Promise<Started> {
  const command = `echo "pid $$ ."; exec '${process.execPath}' '${join(repositoryRoot, 'gateway/bin/turnward.mjs')}' start --config '${configPath}'`
  const child: ChildProcess = spawn('script', ['--quiet', '--flush', '--return', '--command', command, '/dev/null'], {
    cwd: folder,
    env: { PATH: process.env['PATH'] ?? '', HOME: folder, SHELL: '/bin/sh' },
    stdio: ['pipe', 'pipe', 'inherit'],
  })
  let output = ''
  child.stdout?.setEncoding('utf8').on('data', (text: string) => (output += text))
  const ended = new Promise<void>((resolve) => child.once('close', () => resolve()))
  let hasEnded = false
  void ended.then(() => (hasEnded = true))
  const pid = Number(await until('the process', () => /pid (\d+) \./.exec(output)?.[1]))
  const stop = async (): Promise<void> => {
    if (!hasEnded) process.kill(pid, 'SIGTERM')
    await ended
  }
  await until('the gateway to have started', async () => {
    if (hasEnded) throw new Error(`the gateway has ended: ${output}`)
    return output.includes('Turnward is ready') && (await heedsSignals(pid)) ? true : undefined
  })
  return { output: () => output, stop }
}

/** The last thing a start does is to listen to signals: to this one nobody else listens. */
async function heedsSignals(pid: number): Promise<boolean> {
  const [, caught = '0'] = /^SigCgt:\s*([0-9a-f]+)$/m.exec(await readFile(`/proc/${pid}/status`, 'utf8')) ?? []
  const hangup = 1n
  return (BigInt(`0x${caught}`) & hangup) !== 0n
}
