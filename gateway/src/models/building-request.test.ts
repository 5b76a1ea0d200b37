/** How a request to an upstream is placed and signed, by providers that need more than a path and a key. */
import { upstreamSchema } from '@turnward/contract/config/model-floor'
import { describe, expect, test } from 'vitest'
import type { JsonObject } from '../core/json.ts'
import { dialectFor, type Provider } from '../providers/provider.ts'
import { chatCompletions } from '../wire/dialects/chat-completions/chat-completions.ts'
import { messages } from '../wire/dialects/messages/messages.ts'
import { buildRequest, signRequest, type Hop, type OutgoingCall } from './building-request.ts'

const provider: Provider = {
  telemetryName: 'cloud',
  dialects: { messages: { path: '/m' }, 'chat-completions': { path: '/c' } },
  place: ({ spoken, config }, model, stream) => `/${config.kind}${spoken.path}/${model}:${stream ? 'stream' : 'whole'}?v=1`,
  sign: async ({ path, baseUrl, body }, credential, now) => ['x-signature', [baseUrl, path, body.length, credential.kind, now].join(' ')],
  defaultHeaders: { 'x-version': '7' },
  forwardedHeaders: ['x-version'],
  returnedHeaders: [],
  requestIdHeaders: [],
}

function hopTo(settings: object, dialect: Hop['dialect'] = 'chat-completions', streamUsage: Hop['streamUsage'] = 'ask'): Hop {
  const config = upstreamSchema.parse({ kind: 'openai', base_url: 'https://cloud.example/base', ...settings })
  return { target: { upstream: { name: 'u', config }, model: undefined }, provider, dialect, streamUsage }
}

function callWith(fields: JsonObject, stream: boolean, headers: Record<string, string> = {}): OutgoingCall {
  const body = { model: 'big', messages: [{ role: 'user', content: 'hi' }], stream, ...fields }
  const bytes = Buffer.from(JSON.stringify(body))
  const view = chatCompletions.readRequest(body)
  return {
    dialect: chatCompletions,
    model: 'big',
    stream,
    wantsUsage: view.wantsUsage,
    body: { json: body, fields: body } as unknown as OutgoingCall['body'],
    bytes,
    clientHeaders: headers,
    traceparent: undefined,
    tracestate: undefined,
  }
}

const plain = upstreamSchema.parse({ kind: 'openai' })

describe('a request to an upstream', () => {
  test('goes in the dialect of the client where it is spoken, else in the first that is', () => {
    expect(dialectFor(provider, plain, chatCompletions.name)).toBe('chat-completions')
    expect(dialectFor({ ...provider, dialects: { messages: { path: '/m' } } }, plain, chatCompletions.name)).toBe('messages')
    expect(dialectFor(provider, plain, messages.name)).toBe('messages')
  })

  test('goes in the dialect that the administrator chose, whoever asks', () => {
    const chosen = upstreamSchema.parse({ kind: 'openai', speaks: 'responses' })
    expect([chatCompletions.name, messages.name].map((client) => dialectFor(provider, chosen, client))).toEqual(['responses', 'responses'])
  })

  test('is placed by the model and the form of the answer', () => {
    expect(buildRequest(callWith({}, true), hopTo({})).path).toBe('/openai/c/big:stream?v=1')
    expect(buildRequest(callWith({}, false), hopTo({}, 'messages')).path).toBe('/openai/m/big:whole?v=1')
  })

  test('is signed over all its bytes, and may wait for it', async () => {
    const hop = hopTo({})
    const built = buildRequest(callWith({}, false), hop)
    const { headers } = await signRequest(built, hop, { kind: 'secret', secret: 's' }, 42)
    const signature = `https://cloud.example/base /openai/c/big:whole?v=1 ${built.body.length} secret 42`
    expect(headers.slice(-2)).toEqual(['x-signature', signature])
  })

  test('gains no promise where the signature needs none', () => {
    const hop = { ...hopTo({}), provider: { ...provider, sign: () => ['authorization', 'x'] } }
    expect(signRequest(buildRequest(callWith({}, false), hop), hop, { kind: 'none' }, 0)).not.toBeInstanceOf(Promise)
  })

  test('has each header once: the client before the provider, the administrator before both', () => {
    const headersOf = (settings: object, client: Record<string, string>) => {
      const { headers } = buildRequest(callWith({}, false, client), hopTo(settings))
      return headers.filter((_, index) => ['x-version', 'accept-encoding'].includes((headers[index - 1] ?? '').toLowerCase()))
    }
    expect(headersOf({}, {})).toEqual(['identity', '7'])
    expect(headersOf({}, { 'x-version': '8' })).toEqual(['identity', '8'])
    expect(headersOf({ headers: { 'X-Version': '9', 'Accept-Encoding': 'gzip' } }, { 'x-version': '8' })).toEqual(['9', 'gzip'])
  })

  test.each([
    ['ask', {}, { include_usage: true }],
    ['as-asked', {}, undefined],
    ['never', {}, undefined],
    ['as-asked', { stream_options: { include_usage: true } }, { include_usage: true }],
    ['never', { stream_options: { include_usage: true } }, undefined],
  ] as const)('in mode %s with %j of the client asks for usage as %j', (mode, fields, sent) => {
    const { body } = buildRequest(callWith(fields, true), hopTo({}, 'chat-completions', mode))
    expect(JSON.parse(body.toString()).stream_options).toEqual(sent)
  })
})
