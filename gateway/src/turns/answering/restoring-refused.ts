/**
 * Puts back what the client's history lacks: calls that denial splicing took out, which the model must see answered or it
 * would make them again, what was looked up before the newest answers, and what the gateway has told the model at places of the
 * conversation.
 */
import { whenRead, type MaybePromise } from '../../state/state-store.ts'
import type { Note } from '../../state/state-values.ts'
import type { SplicedRound, SpliceRecord } from '../../wire/dialect.ts'
import type { ModelCall } from '../call.ts'
import { roundsBefore } from '../context/context-of-call.ts'

/**
 * Keys of a splice record: the place in the conversation the delivered message stands at, and, for conversations
 * that were compacted before it, what it said within its session. Never a call id: some models number calls anew.
 */
export function spliceKeys(place: string, session: string, digest: string): readonly [string, string] {
  return [place, `s|${session}|${digest}`]
}

/** Edits the body in place, and tells the call which notes it put back. The views of `call.view` are stale afterwards, except for its tools. */
export async function restoreRefused(call: ModelCall): Promise<void> {
  let inserted = 0
  const notes: Note[] = []
  for (const [index, { message, digest, place }] of call.history.entries()) {
    if (message.role !== 'assistant') {
      const note = call.session.state.hasNotes ? await call.services.state.get('note', place) : undefined
      if (note === undefined) continue
      inserted += call.dialect.edit.addNote(call.body.json, message.index + inserted, note.text)
      call.bytes = undefined
      notes.push(note)
      continue
    }
    const found = digest === undefined ? undefined : findSplice(call, place, digest)
    const record = withRounds(roundsBefore(call.context, index), found instanceof Promise ? await found : found)
    if (record === undefined) continue
    inserted += call.dialect.edit.restore(call.body.json, message.index + inserted, record)
    call.bytes = undefined
  }
  call.told = notes
}

/** What was looked up comes before what the model made of it. */
function withRounds(rounds: readonly SplicedRound[], record: SpliceRecord | undefined): SpliceRecord | undefined {
  if (rounds.length === 0) return record
  return { rounds: [...rounds, ...(record?.rounds ?? [])], dropped: record?.dropped ?? [], delivered: record?.delivered }
}

function findSplice({ services: { state }, session }: ModelCall, place: string, digest: string): MaybePromise<SpliceRecord | undefined> {
  return whenRead(state.get('splice', place), (found) => {
    if (found !== undefined) return found as SpliceRecord
    // At a place we know, no record means that nothing was taken out there; elsewhere the same words may have been shortened.
    return whenRead(state.get('answer', place), (known) => {
      return known === undefined
        ? (state.get('splice', spliceKeys(place, session.id, digest)[1]) as MaybePromise<SpliceRecord | undefined>)
        : undefined
    })
  })
}
