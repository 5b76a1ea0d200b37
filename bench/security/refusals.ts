/** What the decision log says of the calls that were refused in a turn: read as an administrator reads it. */
import { execFile } from 'node:child_process'
import { promisify } from 'node:util'
import { gatewayCommand } from '../gateway-under-test.ts'

export interface Refusal {
  /** `server__tool`. */
  readonly subject: string
  /** What was missing: kind, and the line of the policy that wants it. */
  readonly gaps: readonly { readonly kind: string; readonly source: string; readonly detail: string }[]
}

/** In the order of the log. Rejects when the turn is not in it. */
export async function refusalsOf(turn: string, config: string): Promise<readonly Refusal[]> {
  const [program = '', ...args] = gatewayCommand(['turns', 'show', turn, '--json', '--config', config])
  const { stdout } = await promisify(execFile)(program, args, { maxBuffer: 64 * 1024 * 1024 })
  return (JSON.parse(stdout) as { readonly refused: readonly Refusal[] }).refused
}
