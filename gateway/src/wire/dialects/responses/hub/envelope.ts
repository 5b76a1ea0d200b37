/** What a response says of itself beside its items, where it was converted from another dialect. */
import { randomText } from '../../../../core/ids.ts'
import type { JsonObject } from '../../../../core/json.ts'
import type { HubFinish, HubUsage } from '../../../hub/answer.ts'
import { tagOf } from '../../../hub/tags.ts'
import { writeFinish } from './finish.ts'
import { writeUsage } from './usage.ts'

export interface Envelope {
  readonly id: string
  readonly model: string
  readonly created: number
}

/** `finish`: undefined while it is being written. */
export function responseObject(
  { id, model, created }: Envelope,
  output: readonly JsonObject[],
  finish: HubFinish | undefined,
  usage: HubUsage | undefined,
): JsonObject {
  const ended = finish === undefined ? { status: 'in_progress', incomplete_details: null } : writeFinish(finish)
  return {
    id,
    object: 'response',
    created_at: created,
    ...ended,
    error: null,
    instructions: null,
    metadata: {},
    model,
    output: [...output],
    parallel_tool_calls: true,
    temperature: null,
    tool_choice: 'auto',
    tools: [],
    top_p: null,
    usage: writeUsage(usage),
  }
}

/** An id for a response whose upstream gave none; its client may ask for it by it. */
export function unnamedResponse(): string {
  return `resp_${randomText(48)}`
}

/** Ids of items: the same for the same response. */
export function itemId(prefix: 'msg' | 'rs' | 'fc' | 'ctc', { id }: Pick<Envelope, 'id'>, index: number): string {
  return `${prefix}_${tagOf(id)}${index.toString(16).padStart(4, '0')}`
}
