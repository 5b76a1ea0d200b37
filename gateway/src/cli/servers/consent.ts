/** Whether a change may be made: by an option, or by a person at a terminal. Never asked where nobody could answer. */
import { createInterface } from 'node:readline/promises'

export interface ConsentOptions {
  readonly yes?: boolean
  readonly dryRun?: boolean
  readonly json?: boolean
}

/** Whether there is somebody to ask, or it was said already. */
export function mayChange({ yes, dryRun, json }: ConsentOptions): boolean {
  if (dryRun === true) return false
  return yes === true || (json !== true && process.stdin.isTTY && process.stdout.isTTY)
}

export async function consents(options: ConsentOptions, question: string): Promise<boolean> {
  if (options.yes === true) return true
  const terminal = createInterface({ input: process.stdin, output: process.stdout })
  try {
    return /^y(?:es)?$/i.test((await terminal.question(`${question} [y/N] `)).trim())
  } finally {
    terminal.close()
  }
}
