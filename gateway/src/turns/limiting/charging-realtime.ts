/** What an answer in a realtime session has used is known when it is over; a session whose limit is used up by then ends. */
import type { UsageRecord } from '@turnward/contract/decision'
import { newId } from '../../core/ids.ts'
import type { Conversation, RealtimeStep } from '../realtime/conversation.ts'
import { CallLimits } from './call-limits.ts'

/** Throws `limit.*` when there is no room for another answer, and `state.*`. */
export async function chargeAnswer(call: RealtimeStep, { target, model }: Conversation, usage: UsageRecord | undefined): Promise<void> {
  if (target === undefined) return
  const limits = CallLimits.of(
    { ...call, decision: newId('dec') },
    { kind: { kind: 'model_call' }, names: { model }, expected: { inputTokens: 0, outputTokens: 0 }, form: 'openai' },
  )
  await limits?.charge({ upstream: target.upstream, models: [target.model ?? model], usage: usage ?? {} })
}
