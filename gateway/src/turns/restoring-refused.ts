/**
 * Puts back what denial splicing took out: the client's history lacks the refused calls, the model must see
 * them answered, or it would wonder where its calls went and make them again.
 */
import type { SpliceRecord } from '../wire/dialect.ts'
import type { ModelCall } from './call.ts'
import type { HistoryEntry } from './history.ts'

/** Key of a splice record: by a call that was released, else by what the delivered message said. */
export function spliceKey(principal: string, anchor: { readonly callId: string } | { readonly digest: string }): string {
  return 'callId' in anchor ? `c|${principal}|${anchor.callId}` : `d|${principal}|${anchor.digest}`
}

/** Edits the body in place. The views of `call.view` are stale afterwards, except for its tools. */
export async function restoreRefused(call: ModelCall, history: readonly HistoryEntry[]): Promise<void> {
  let inserted = 0
  for (const { message, digest } of history) {
    if (message.role !== 'assistant') continue
    const record = await findSplice(call, message.calls.map((made) => made.id), digest)
    if (record === undefined) continue
    inserted += call.dialect.edit.restore(call.body, message.index + inserted, record)
    call.bytes = undefined
  }
}

async function findSplice(call: ModelCall, callIds: readonly string[], digest: string | undefined): Promise<SpliceRecord | undefined> {
  const { state } = call.services
  const principal = call.caller.principal.id
  for (const callId of callIds) {
    const found = await state.get<SpliceRecord>('splice', spliceKey(principal, { callId }))
    if (found !== undefined) return found
  }
  if (digest === undefined || callIds.length > 0) return undefined
  return state.get<SpliceRecord>('splice', spliceKey(principal, { digest }))
}
