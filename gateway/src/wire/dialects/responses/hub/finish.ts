/** Why a response ended: its status, and what is said of one that was broken off. */
import type { JsonObject } from '../../../../core/json.ts'
import type { HubFinish } from '../../../hub/answer.ts'
import { objectOf } from '../../../hub/loose-fields.ts'

export function readFinish(response: JsonObject, isRefused: boolean, hasCalls: boolean): HubFinish {
  const reason = objectOf(response.incomplete_details)?.reason
  if (response.status === 'incomplete')
    return { reason: reason === 'max_output_tokens' ? 'length' : reason === 'content_filter' ? 'refusal' : 'other', word: undefined }
  return { reason: isRefused ? 'refusal' : hasCalls ? 'calls' : 'stop', word: undefined }
}

export function writeFinish({ reason }: HubFinish): { readonly status: string; readonly incomplete_details: JsonObject | null } {
  if (reason === 'length') return { status: 'incomplete', incomplete_details: { reason: 'max_output_tokens' } }
  return { status: 'completed', incomplete_details: null }
}
