/** The decision log as an administrator reads it: `turnward turns tail --json`. */
import type { CliResult } from './cli.ts'

export interface StoredLabel {
  readonly trust: string
  readonly audience: readonly (readonly string[])[]
}

/** The fields the suites look at; a record has more. */
export interface TurnRecord {
  readonly id: string
  readonly type: 'decision' | 'outcome'
  readonly kind: string
  readonly subject: string
  readonly principal: string
  readonly session: string | null
  readonly turn: string | null
  readonly modelCall?: string | null
  readonly toolCallId?: string | null
  readonly upstream?: string | null
  readonly verdict: string
  readonly action: string
  readonly reason: string
  readonly labelBefore: StoredLabel | null
  readonly labelAfter: StoredLabel | null
  readonly credential: string | null
  readonly revision: string
  readonly outcome?: string
  readonly errorCode?: string
  readonly hidden?: readonly string[]
  readonly batch?: { readonly id: string; readonly customId: string }
  readonly usage?: Readonly<Record<string, number>>
  readonly [field: string]: unknown
}

/** Every record kept, at most 1000, oldest first. */
export async function readRecords(cli: (args: readonly string[]) => Promise<CliResult>): Promise<readonly TurnRecord[]> {
  const { code, stdout, stderr } = await cli(['turns', 'tail', '--no-follow', '-n', '1000', '--json'])
  if (code !== 0) throw new Error(`turnward turns tail ended with code ${code}: ${stderr}`)
  return stdout
    .split('\n')
    .filter((line) => line !== '')
    .map((line) => JSON.parse(line) as TurnRecord)
}
