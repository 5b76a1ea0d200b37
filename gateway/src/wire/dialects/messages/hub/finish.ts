/** Why an answer ended, in the messages dialect. */
import type { JsonValue } from '../../../../core/json.ts'
import { type HubFinish, settledReason } from '../../../hub/answer.ts'

const reasons: Readonly<Record<string, HubFinish['reason']>> = {
  end_turn: 'stop',
  stop_sequence: 'stop',
  max_tokens: 'length',
  model_context_window_exceeded: 'length',
  tool_use: 'calls',
  refusal: 'refusal',
}

const words = { stop: 'end_turn', length: 'max_tokens', calls: 'tool_use', refusal: 'refusal' } as const

/** `stop_reason`; what is unknown is `other`. `explanation`: what the vendor says about a refusal. */
export function readFinish(word: JsonValue | undefined, explanation?: string, stopSequence?: string): HubFinish {
  if (typeof word !== 'string') return { reason: 'other', word: undefined }
  const reason = (Object.hasOwn(reasons, word) ? reasons[word] : undefined) ?? 'other'
  return { reason, word: { family: 'anthropic', value: word }, explanation: reason === 'refusal' ? explanation : undefined, stopSequence }
}

export function writeFinish(finish: HubFinish, hasCalls: boolean): string {
  const { reason, word } = finish
  const isOwn = word?.family === 'anthropic' && (reason === 'other' || reason === 'length' || (reason === 'stop' && !hasCalls))
  return isOwn ? word.value : words[settledReason(reason, hasCalls)]
}
