/**
 * What is remembered once a message has gone to the client: the label it was made under, and what denial
 * splicing took out of it. The next request of the conversation needs both.
 */
import type { LabelRecord } from '@turnward/contract/decision'
import { join, labelFromRecord, labelRecord } from '../policy/label.ts'
import type { JsonObject, RefusedCall, SplicedRound, ToolCallView } from '../wire/dialect.ts'
import { deliveredKey } from './admitting-history.ts'
import type { ModelCall } from './call.ts'
import { assistantDigest, pointAfter } from './history.ts'
import { saveAnswerPoint } from './saving-point.ts'
import { spliceKeys } from './restoring-refused.ts'

export interface DeliveredMessage {
  /** Text over all rounds, as the client has it. */
  readonly text: string
  readonly calls: readonly ToolCallView[]
  readonly rounds: readonly SplicedRound[]
  readonly dropped: readonly (RefusedCall & { readonly position: number })[]
  /** The last round's own native message; needed only when rounds came before it. */
  readonly native: JsonObject | undefined
}

export async function rememberDelivered(call: ModelCall, message: DeliveredMessage): Promise<void> {
  const { services, snapshot, caller, session } = call
  const digest = assistantDigest(message.text, message.calls)
  if (digest === undefined) return
  const expires = services.clock.now() + snapshot.settings.turns.session_idle_ms
  const answer = pointAfter(call.place ?? '', digest)
  if (call.place !== undefined) await saveAnswerPoint(call, answer, call.place)
  // Found elsewhere than at its place, the same words count as the most restricted of those who were told them.
  const key = deliveredKey(caller.principal.id, digest)
  const earlier = await services.state.get<LabelRecord>('ledger', key)
  const joined = earlier === undefined ? call.presented : join(call.presented, labelFromRecord(earlier, snapshot.policy))
  await services.state.put('ledger', key, labelRecord(joined, snapshot.policy), expires)
  if (message.rounds.length === 0 && message.dropped.length === 0) return
  const record = { rounds: message.rounds, dropped: message.dropped, delivered: message.rounds.length > 0 ? message.native : undefined }
  for (const spliced of spliceKeys(answer, session.id, digest)) await services.state.put('splice', spliced, record, expires)
}
