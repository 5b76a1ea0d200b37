/**
 * What is remembered once a message has gone to the client: the label it was made under, and what denial
 * splicing took out of it. The next request of the conversation needs both.
 */
import { labelRecord } from '../policy/label.ts'
import type { JsonObject, RefusedCall, SplicedRound, ToolCallView } from '../wire/dialect.ts'
import { deliveredKey } from './admitting-history.ts'
import type { ModelCall } from './call.ts'
import { assistantDigest } from './history.ts'
import { spliceKey } from './restoring-refused.ts'

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
  await services.state.put('ledger', deliveredKey(caller.principal.id, digest), labelRecord(session.policy.label, snapshot.policy), expires)
  if (message.rounds.length === 0 && message.dropped.length === 0) return
  const record = { rounds: message.rounds, dropped: message.dropped, delivered: message.rounds.length > 0 ? message.native : undefined }
  const anchors = message.calls.length > 0 ? message.calls.map((made) => ({ callId: made.id })) : [{ digest }]
  for (const anchor of anchors) await services.state.put('splice', spliceKey(caller.principal.id, anchor), record, expires)
}
