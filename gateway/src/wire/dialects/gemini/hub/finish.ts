/** Why an answer ended, in Gemini's words. */
import type { JsonValue } from '../../../../core/json.ts'
import type { HubFinish } from '../../../hub/answer.ts'
import { geminiFinish } from '../finish.ts'

const words = { stop: 'STOP', calls: 'STOP', length: 'MAX_TOKENS', refusal: 'SAFETY', other: 'OTHER' } as const

export function readFinish(word: JsonValue | undefined, explanation?: string): HubFinish {
  const meant = geminiFinish(word, false)
  const reason = meant === 'tool_calls' ? 'calls' : meant
  if (typeof word !== 'string') return { reason, word: undefined }
  return { reason, word: { family: 'google', value: word }, explanation: reason === 'refusal' ? explanation : undefined }
}

export function writeFinish({ reason, word }: HubFinish): string {
  return word?.family === 'google' ? word.value : reason === 'other' ? words.stop : words[reason]
}
