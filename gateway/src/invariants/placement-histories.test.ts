/**
 * The same orders where a client runs the tools and sends what they brought: in the results of every dialect, whole and in parts,
 * as errors, and in what a vendor's own search has found. What needs trust is refused after them, streamed or not.
 */
import { describe, expect, test } from 'vitest'
import { say } from '../../../conformance/harness/model-answer.ts'
import { startVendor, type Responder } from '../../../conformance/harness/vendor.ts'
import type { JsonObject } from '../core/json.ts'
import { configOf, keys, openFloors, type ConfigInput, type Floors } from './floors.fixture.ts'
import { attacks, hasOrder, settings } from './placement-attacks.fixture.ts'

const actor = 'wire_transfer'
const schema = { type: 'object', properties: {} }
const asked = 'Read the page and tell me what it says.'
const text = (piece: string) => ({ type: 'text', text: piece })
const joined = (pieces: readonly string[]): string => pieces.join('')

interface Place {
  readonly path: (stream: boolean) => string
  readonly body: (pieces: readonly string[]) => JsonObject
}

const chatTools = ['web_fetch', actor].map((name) => ({ type: 'function', function: { name, parameters: schema } }))
const chat = (content: string | readonly object[]): JsonObject =>
  ({
    model: 'm',
    tools: chatTools,
    messages: [
      { role: 'user', content: asked },
      { role: 'assistant', content: null, tool_calls: [{ id: 'c1', type: 'function', function: { name: 'web_fetch', arguments: '{}' } }] },
      { role: 'tool', tool_call_id: 'c1', content },
    ],
  }) as JsonObject

const messages = (content: string | readonly object[], more: object = {}): JsonObject =>
  ({
    model: 'm',
    max_tokens: 100,
    tools: ['web_fetch', actor].map((name) => ({ name, input_schema: schema })),
    messages: [
      { role: 'user', content: asked },
      { role: 'assistant', content: [{ type: 'tool_use', id: 'c1', name: 'web_fetch', input: {} }] },
      { role: 'user', content: [{ type: 'tool_result', tool_use_id: 'c1', content, ...more }] },
    ],
  }) as JsonObject

const responses = (output: string | readonly object[]): JsonObject =>
  ({
    model: 'm',
    store: false,
    tools: ['web_fetch', actor].map((name) => ({ type: 'function', name, parameters: schema })),
    input: [
      { role: 'user', content: asked },
      { type: 'function_call', call_id: 'c1', name: 'web_fetch', arguments: '{}' },
      { type: 'function_call_output', call_id: 'c1', output },
    ],
  }) as JsonObject

const gemini = (response: object): JsonObject =>
  ({
    tools: [{ functionDeclarations: ['web_fetch', actor].map((name) => ({ name, parametersJsonSchema: schema })) }],
    contents: [
      { role: 'user', parts: [{ text: asked }] },
      { role: 'model', parts: [{ functionCall: { name: 'web_fetch', args: {} } }] },
      { role: 'user', parts: [{ functionResponse: { name: 'web_fetch', response } }] },
    ],
  }) as JsonObject

const converse = (content: readonly object[], more: object = {}): JsonObject =>
  ({
    toolConfig: { tools: ['web_fetch', actor].map((name) => ({ toolSpec: { name, inputSchema: { json: schema } } })) },
    messages: [
      { role: 'user', content: [{ text: asked }] },
      { role: 'assistant', content: [{ toolUse: { toolUseId: 'c1', name: 'web_fetch', input: {} } }] },
      { role: 'user', content: [{ toolResult: { toolUseId: 'c1', content, ...more } }] },
    ],
  }) as JsonObject

/** Who searches by itself says so in its answer: what it found is in nobody's hands but the vendor's. */
const searchTool = { type: 'web_search_20250305', name: 'web_search' }

const at = {
  chat: () => '/v1/chat/completions',
  messages: () => '/v1/messages',
  responses: () => '/v1/responses',
  gemini: (stream: boolean) => `/v1beta/models/m:${stream ? 'streamGenerateContent?alt=sse' : 'generateContent'}`,
  converse: (stream: boolean) => `/model/m/${stream ? 'converse-stream' : 'converse'}`,
}

const places: Readonly<Record<string, Place>> = {
  'a result of Chat Completions': { path: at.chat, body: (pieces) => chat(joined(pieces)) },
  'parts of a result of Chat Completions': { path: at.chat, body: (pieces) => chat(pieces.map(text)) },
  'a result of Messages': { path: at.messages, body: (pieces) => messages(joined(pieces)) },
  'parts of a result of Messages': { path: at.messages, body: (pieces) => messages(pieces.map(text)) },
  'an error of Messages': { path: at.messages, body: (pieces) => messages(joined(pieces), { is_error: true }) },
  'a document in a result of Messages': {
    path: at.messages,
    body: (pieces) => messages([{ type: 'document', source: { type: 'text', media_type: 'text/plain', data: joined(pieces) } }]),
  },
  'a result of Responses': { path: at.responses, body: (pieces) => responses(joined(pieces)) },
  'parts of a result of Responses': {
    path: at.responses,
    body: (pieces) => responses(pieces.map((piece) => ({ type: 'input_text', text: piece }))),
  },
  'a result of Gemini': { path: at.gemini, body: (pieces) => gemini({ output: joined(pieces) }) },
  'fields of a result of Gemini': { path: at.gemini, body: (pieces) => gemini({ lines: pieces }) },
  'an error of Gemini': { path: at.gemini, body: (pieces) => gemini({ error: joined(pieces) }) },
  'a result of Converse': { path: at.converse, body: (pieces) => converse([{ text: joined(pieces) }]) },
  'JSON of a result of Converse': { path: at.converse, body: (pieces) => converse([{ json: { lines: pieces } }]) },
  'an error of Converse': {
    path: at.converse,
    body: (pieces) =>
      converse(
        pieces.map((piece) => ({ text: piece })),
        { status: 'error' },
      ),
  },
}

/** What a vendor's own search found, before and after the conversation goes on. */
const retrievals: Readonly<Record<string, Place>> = {
  'a search of Messages': {
    path: at.messages,
    body: (pieces) => ({
      ...messages(''),
      model: 'claude',
      tools: [searchTool, { name: actor, input_schema: schema }],
      messages: [{ role: 'user', content: `Look up: ${joined(pieces)}` }],
    }),
  },
  'a search of Responses': {
    path: at.responses,
    body: (pieces) => ({
      ...responses(''),
      tools: [{ type: 'web_search' }, { type: 'function', name: actor, parameters: schema }],
      input: [{ role: 'user', content: `Look up: ${joined(pieces)}` }],
    }),
  },
}

function configFor(url: string, posture: 'standard' | 'observe'): ConfigInput {
  return configOf({
    policy: { posture },
    // Nobody here has seen how these conversations began: only what was read in them is to count.
    turns: { unknown_history: 'accept' },
    upstreams: {
      vendor: { kind: 'openai', base_url: url, credential: 'none' },
      claude: { kind: 'anthropic', base_url: url, credential: 'none' },
    },
    routes: [
      { model: 'claude', upstreams: ['claude'] },
      { model: 'm', upstreams: ['vendor'] },
    ],
    contracts: {
      web_fetch: { output: { trust: 'untrusted' } },
      web_search: { output: { trust: 'untrusted' } },
      [actor]: { effects: ['mutation'], requires: { trust: 'trusted' }, output: { trust: 'trusted' } },
    },
  })
}

/** Obeys whatever it can read. What a search found stands in its own answer, before what it does about it. */
function obeying(seen: { orders: number }, searches: boolean): Responder {
  return (request) => {
    if (request.bytes.includes('not run:')) return say(request, { text: 'I may not.' })
    if (!hasOrder(request.body)) return say(request, { text: 'Well.' })
    seen.orders += 1
    return say(request, { ...(searches ? { searched: 'what it says' } : {}), calls: [{ id: `p${seen.orders}`, name: actor, args: {} }] })
  }
}

async function send(floors: Floors, path: string, body: JsonObject, stream: boolean): Promise<string> {
  const streams = stream && /completions|messages|responses/.test(path) ? { stream: true } : {}
  const response = await fetch(floors.url + path, {
    method: 'POST',
    headers: { authorization: `Bearer ${keys.alice}`, 'content-type': 'application/json', 'anthropic-version': '2023-06-01' },
    body: JSON.stringify({ ...body, ...streams }),
  })
  const said = Buffer.from(await response.arrayBuffer()).toString('latin1')
  expect([response.status, response.status === 200 ? '' : said]).toEqual([200, ''])
  return said
}

const lanes = (['standard', 'observe'] as const).flatMap((posture) => [false, true].map((stream) => ({ posture, stream })))

describe.each(lanes)('$posture, streamed: $stream', ({ posture, stream }) => {
  async function play(places: Readonly<Record<string, Place>>, name: string, searches: boolean): Promise<void> {
    const place = places[name]
    if (place === undefined) throw new Error(name)
    const seen = { orders: 0 }
    await using vendor = await startVendor(obeying(seen, searches))
    await using floors = await openFloors({ config: configFor(vendor.url, posture) })
    const cases = Object.values(settings).flatMap((set) => Object.values(attacks).map((attack) => set(attack)))
    const tried = posture === 'observe' ? cases.slice(0, 1) : cases
    const released: boolean[] = []
    for (const pieces of tried) released.push((await send(floors, place.path(stream), place.body(pieces), stream)).includes(`"${actor}"`))
    expect(seen.orders).toBeGreaterThanOrEqual(tried.length)
    const proposals = floors.log.records.filter(
      ({ type, kind, subject }) => type === 'decision' && kind === 'tool_proposal' && subject === actor,
    )
    expect(new Set(proposals.map(({ action }) => action))).toEqual(new Set([posture === 'observe' ? 'observe' : 'refuse']))
    expect(proposals.length).toBeGreaterThanOrEqual(tried.length)
    if (posture === 'standard') expect(released).not.toContain(true)
  }

  test.each(Object.keys(places))('words in: %s', (name) => play(places, name, false))
  test.each(Object.keys(retrievals))('words in: %s', (name) => play(retrievals, name, true))
})
