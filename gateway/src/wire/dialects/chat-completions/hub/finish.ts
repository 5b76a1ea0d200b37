/** Why an answer ended, in chat-completions, with the words that edges and servers let through from other dialects. */
import type { JsonValue } from '../../../../core/json.ts'
import { type HubFinish, settledReason } from '../../../hub/answer.ts'

const reasons: Readonly<Record<string, HubFinish['reason']>> = {
  stop: 'stop',
  end_turn: 'stop',
  stop_sequence: 'stop',
  eos: 'stop',
  length: 'length',
  max_tokens: 'length',
  model_length: 'length',
  tool_calls: 'calls',
  tool_use: 'calls',
  function_call: 'calls',
  content_filter: 'refusal',
  refusal: 'refusal',
}

const words = { stop: 'stop', length: 'length', calls: 'tool_calls', refusal: 'content_filter' } as const

/** `finish_reason`; what is unknown is `other`. */
export function readFinish(word: JsonValue | undefined): HubFinish {
  if (typeof word !== 'string') return { reason: 'other', word: undefined }
  const reason = Object.hasOwn(reasons, word) ? reasons[word] : undefined
  return { reason: reason ?? 'other', word: { family: 'openai', value: word } }
}

export function writeFinish(finish: HubFinish, hasCalls: boolean): string {
  return words[settledReason(finish.reason, hasCalls)]
}
