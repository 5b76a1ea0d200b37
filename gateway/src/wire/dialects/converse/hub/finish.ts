/** Why an answer ended, in Converse. */
import type { JsonValue } from '../../../../core/json.ts'
import { type HubFinish, settledReason } from '../../../hub/answer.ts'

const reasons: Readonly<Record<string, HubFinish['reason']>> = {
  end_turn: 'stop',
  stop_sequence: 'stop',
  max_tokens: 'length',
  model_context_window_exceeded: 'length',
  tool_use: 'calls',
  guardrail_intervened: 'refusal',
  content_filtered: 'refusal',
}

const words = { stop: 'end_turn', length: 'max_tokens', calls: 'tool_use', refusal: 'content_filtered' } as const

/** `stopReason`; what is unknown is `other`. */
export function readFinish(word: JsonValue | undefined): HubFinish {
  if (typeof word !== 'string') return { reason: 'other', word: undefined }
  const reason = (Object.hasOwn(reasons, word) ? reasons[word] : undefined) ?? 'other'
  return { reason, word: { family: 'aws', value: word } }
}

export function writeFinish({ reason, stopSequence }: HubFinish, hasCalls: boolean): string {
  const settled = settledReason(reason, hasCalls)
  return settled === 'stop' && stopSequence !== undefined ? 'stop_sequence' : words[settled]
}
