/** Requests of each dialect with something odd in them, sent as bytes, and what a vendor is asked in the end. */
import { randomUUID } from 'node:crypto'
import type { Json } from '../../harness/json.ts'
import { type RawAnswer, post } from '../../harness/raw-http.ts'
import { secrets } from '../../harness/governed-config.ts'
import type { Wire } from '../breaking-wires.ts'

const question = 'What is in my notes?'

/** The least a client of each dialect says, and where. A path names the model in some. */
export const asks: Readonly<Record<Wire, (model: string) => { readonly path: string; readonly body: Json }>> = {
  openai: (model) => ({ path: '/v1/chat/completions', body: { model, messages: [{ role: 'user', content: question }] } }),
  anthropic: (model) => ({ path: '/v1/messages', body: { model, max_tokens: 1024, messages: [{ role: 'user', content: question }] } }),
  responses: (model) => ({ path: '/v1/responses', body: { model, store: false, input: [{ role: 'user', content: question }] } }),
  gemini: (model) => ({
    path: `/v1beta/models/${model}:generateContent`,
    body: { contents: [{ role: 'user', parts: [{ text: question }] }] },
  }),
  converse: (model) => ({ path: `/model/${model}/converse`, body: { messages: [{ role: 'user', content: [{ text: question }] }] } }),
}

/** Sends a request of this dialect with these fields in place of, or beside, the least it says; in a session of its own. */
export function ask(url: string, client: Wire, model: string, fields: Json): Promise<RawAnswer> {
  const { path, body } = asks[client](model)
  return post(`${url}${path}`, secrets.alice, { ...body, ...fields }, { 'x-turnward-session': randomUUID() })
}
