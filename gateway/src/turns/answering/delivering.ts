/**
 * What is remembered once a message has gone to the client: the label it was made under, its words if that label restricts
 * anything, and what denial splicing took out of it. The next request of the conversation needs all of them.
 */
import { join, labelFromRecord, labelRecord } from '../../policy/label.ts'
import type { JsonObject, SplicedCall, SplicedRound, ToolCallView } from '../../wire/dialect.ts'
import { deliveredKey } from '../deciding/labels-of-history.ts'
import type { ContentsOfCall, ModelCall } from '../call.ts'
import { unrestrictedRuns } from '../provenance/unrestricted-words.ts'
import { isFreeLabel, rememberWords, textsIn } from '../provenance/words-of-call.ts'
import { spliceKeys } from './restoring-refused.ts'
import { assistantDigest, placeAfter } from '../sessions/history.ts'
import { saveAnswerPlace } from '../sessions/places.ts'
import { contentsLabel, keepContents, sentAs } from '../quarantine/contents-of-calls.ts'

export interface DeliveredMessage {
  /** Text over all rounds, as the client has it. */
  readonly text: string
  /** What the gateway itself has put at the end of it. */
  readonly ours: string
  readonly calls: readonly ToolCallView[]
  /** Calls whose client gets what handles stand for. */
  readonly written: ReadonlyMap<string, ContentsOfCall>
  readonly rounds: readonly SplicedRound[]
  readonly dropped: readonly (SplicedCall & { readonly position: number })[]
  /** The last round's own native message; needed only when rounds came before it. */
  readonly native: JsonObject | undefined
}

export async function rememberDelivered(call: ModelCall, message: DeliveredMessage): Promise<void> {
  const { services, snapshot, caller, session } = call
  // As its client will send it back.
  const sent = sentAs(call.dialect, message.calls, message.written)
  const digest = assistantDigest(message.text, sent)
  if (digest === undefined) return
  const expires = services.clock.now() + snapshot.settings.turns.session_idle_ms
  const answer = placeAfter(call.place ?? '', digest)
  await services.sessions.change(
    session,
    (state) => [state.head === (call.place ?? null) && !state.headAnswered ? { ...state, headAnswered: true } : state, undefined],
    true,
  )
  // Found elsewhere than at its place, the same words count as the most restricted of those who were told them, with what was put into their calls.
  const label = contentsLabel(message.written, call.presented)
  await services.state.change('label', deliveredKey(caller.principal.id, digest), (earlier) => {
    const joined = earlier === undefined ? label : join(label, labelFromRecord(earlier, snapshot.policy))
    return { value: labelRecord(joined, snapshot.policy), expires, result: undefined, mayWait: true }
  })
  await rememberSaid(call, message)
  if (message.rounds.length > 0 || message.dropped.length > 0) {
    const record = { rounds: message.rounds, dropped: message.dropped, delivered: message.rounds.length > 0 ? message.native : undefined }
    for (const spliced of spliceKeys(answer, session.id, digest)) await services.state.put('splice', spliced, record, expires)
  }
  // Last: at a place that is known, no record means that nothing was taken out there.
  const contents = await keepContents(call, { digest, calls: message.calls, sent, written: message.written })
  await saveAnswerPlace(call, answer, {
    ...(call.through.size === 0 ? {} : { through: Object.fromEntries(call.through) }),
    ...(contents === undefined ? {} : { contents }),
  })
}

/** Told under a restricted label, words carry it wherever they are repeated; what the model has from its person or operator is theirs. */
async function rememberSaid(call: ModelCall, message: DeliveredMessage): Promise<void> {
  // What the gateway asks for itself is answered in bounds, and its words go nowhere.
  if (isFreeLabel(call, call.presented) || call.origin.granted !== undefined) return
  // The gateway says the same in every conversation: its own words carry nothing.
  const said = message.text.slice(0, message.text.endsWith(message.ours) ? message.text.length - message.ours.length : undefined)
  await rememberWords(call, [said, ...message.calls.flatMap(({ args }) => textsIn(args))], call.presented, unrestrictedRuns(call))
}
