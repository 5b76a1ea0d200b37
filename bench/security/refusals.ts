/** What the decision log says of the calls that were refused in a turn: read as an administrator reads it. */
import { execFile } from 'node:child_process'
import { promisify } from 'node:util'
import { gatewayCommand } from '../gateway-under-test.ts'

export interface Refusal {
  /** `server__tool`. */
  readonly tool: string
  /** What was missing: kind, and the line of the policy that wants it. */
  readonly gaps: readonly { readonly kind: string; readonly source: string; readonly detail: string }[]
}

interface LoggedRecord {
  readonly type?: string
  readonly kind?: string
  readonly subject?: string
  readonly action?: string
  readonly gaps?: Refusal['gaps']
}

export async function refusalsOf(turn: string, config: string): Promise<readonly Refusal[]> {
  const [program = '', ...args] = gatewayCommand(['turns', 'show', turn, '--json', '--config', config])
  const { stdout } = await promisify(execFile)(program, args, { maxBuffer: 64 * 1024 * 1024 })
  return recordsIn(JSON.parse(stdout)).flatMap(({ type, kind, subject = '', action, gaps = [] }) =>
    type === 'decision' && action === 'refuse' && (kind === 'tool_proposal' || kind === 'tool_call') ? [{ tool: subject, gaps }] : [],
  )
}

/** Records stand at the branches of a tree. */
function recordsIn(value: unknown): readonly LoggedRecord[] {
  if (Array.isArray(value)) return value.flatMap(recordsIn)
  if (typeof value !== 'object' || value === null) return []
  const own = 'kind' in value && 'subject' in value ? [value as LoggedRecord] : []
  return [...own, ...Object.values(value).flatMap(recordsIn)]
}
