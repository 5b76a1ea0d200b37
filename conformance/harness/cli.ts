/** Runs one verb of the command line to its end. */
import { execFile } from 'node:child_process'
import { join } from 'node:path'
import { fileURLToPath } from 'node:url'
import { hangsAfterMs } from './until.ts'

export interface CliResult {
  readonly code: number
  readonly stdout: string
  readonly stderr: string
}

export interface CliOptions {
  /** All variables the command sees; `TURNWARD_CONFIG` names its configuration. */
  readonly env: Readonly<Record<string, string>>
  readonly cwd: string
  /** After which it hangs; what waits for others may take longer than what works by itself. */
  readonly timeout?: number
  /** What it reads from standard input. */
  readonly input?: string | undefined
}

const executable = join(fileURLToPath(new URL('../..', import.meta.url)), 'gateway/bin/turnward.mjs')

/** Resolves however the command ends; a command that hangs is killed (code -1). */
export function runCli(args: readonly string[], { input, ...options }: CliOptions): Promise<CliResult> {
  return new Promise((resolve) => {
    const child = execFile(
      process.execPath,
      [executable, ...args],
      { timeout: hangsAfterMs, ...options, maxBuffer: 64 * 1024 * 1024 },
      (error, stdout, stderr) => {
        const code = error === null ? 0 : typeof error.code === 'number' ? error.code : -1
        resolve({ code, stdout, stderr })
      },
    )
    if (input !== undefined) child.stdin?.end(input)
  })
}
