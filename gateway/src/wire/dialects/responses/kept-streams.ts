/**
 * Streams of responses that are made in the background. The vendor's own beginnings and ends are left out: they tell of a
 * response under another name, and of an end that may not be the one that is kept.
 */
import { asText, type JsonObject } from '../../../core/json.ts'
import type { KeptStreams } from '../../kept-answers.ts'
import { invalid } from '../../request/fields.ts'

const ofWhole: ReadonlySet<string> = new Set(
  ['created', 'queued', 'in_progress', 'completed', 'incomplete', 'failed', 'cancelled'].map((status) => `response.${status}`),
)

/** Statuses that are an event; the vendor documents none for a response that was cancelled. */
const ends: ReadonlySet<string> = new Set(['completed', 'incomplete', 'failed'])

const wholeNumber = /^\d{1,15}$/

function ask(query: URLSearchParams): number | undefined {
  const stream = query.get('stream') ?? 'false'
  if (stream !== 'true' && stream !== 'false') throw invalid('stream', 'it must be true or false')
  if (stream === 'false') return undefined
  const after = query.get('starting_after')
  if (after === null) return -1
  if (!wholeNumber.test(after)) throw invalid('starting_after', 'it must be the `sequence_number` of an event')
  return Number(after)
}

function begun(response: JsonObject): readonly JsonObject[] {
  const queued = { ...response, status: 'queued' }
  return [
    { type: 'response.created', response: queued },
    { type: 'response.queued', response: queued },
    { type: 'response.in_progress', response: { ...response, status: 'in_progress' } },
  ]
}

export const keptStreams: KeptStreams = {
  ask,
  begun,
  isOfWhole: (type) => ofWhole.has(type),
  ended: (response) => ({ type: `response.${ends.has(asText(response.status)) ? asText(response.status) : 'failed'}`, response }),
  text: (event, number) => `event: ${asText(event.type)}\ndata: ${JSON.stringify({ ...event, sequence_number: number })}\n\n`,
}
