/**
 * What a model call will ask the state for about its history, told before it is asked: where the state is elsewhere, all of
 * it comes with one answer. Where this names too little, a call only takes longer.
 */
import { sha256 } from '../../core/hash.ts'
import { whenRead, type CallState } from '../../state/state-store.ts'
import type { ToolCallView } from '../../wire/dialect.ts'
import { spliceKeys } from '../answering/restoring-refused.ts'
import { deliveredKey, refusalKey, resultKey } from '../deciding/labels-of-history.ts'
import type { Services } from '../services.ts'
import type { Attached } from './attaching-session.ts'
import type { HistoryEntry } from './history.ts'

export async function expectHistory(
  state: CallState,
  { words }: Services,
  principal: string,
  { session, firstNew }: Attached,
  history: readonly HistoryEntry[],
): Promise<void> {
  words.expect(state, principal)
  const calls = new Map<string, { readonly view: ToolCallView; readonly entry: HistoryEntry }>()
  for (const [index, entry] of history.entries()) {
    const { message, digest, place } = entry
    for (const view of message.calls) calls.set(view.id, { view, entry })
    if (message.role !== 'assistant' && session.state.hasNotes) state.expect('note', place)
    if (message.role === 'assistant' && digest !== undefined) {
      for (const key of spliceKeys(place, session.id, digest)) state.expect('splice', key)
      state.expect('answer', place)
    }
    if (index < firstNew) continue
    if (digest !== undefined) state.expect('label', deliveredKey(principal, digest))
    for (const { callId, text } of message.results) {
      const made = calls.get(callId)
      if (made === undefined) continue
      const written = sha256(text)
      state.expect('label', resultKey(principal, made.view.name, callId, written))
      const answer = whenRead(state.get('answer', made.entry.place), (known) => {
        if (known !== undefined) state.expect('label', refusalKey(principal, `${known.modelCall}:${callId}`, written))
      })
      if (answer instanceof Promise) await answer
    }
  }
  const last = history.at(-1)
  if (last !== undefined) state.expect('note', last.place)
}
