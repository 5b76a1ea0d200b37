/** Where every vendor of the table is asked, and how a request proves who we are. */
import { upstreamSchema } from '@turnward/contract/config/model-floor'
import { presetAddresses } from '@turnward/contract/config/provider-presets'
import { describe, expect, test } from 'vitest'
import { TurnwardError } from '../core/error.ts'
import { chatCompletions } from '../wire/dialects/chat-completions/chat-completions.ts'
import { buildRequest, signRequest, type Hop } from '../models/building-request.ts'
import type { DialectName } from '../wire/dialect.ts'
import { RequestBody } from '../wire/request/request-body.ts'
import { providers } from './providers.ts'

/** The request one call of this model comes to. */
async function requestTo(
  settings: object,
  model = 'm',
  dialect: DialectName = 'chat-completions',
): Promise<{ url: string; headers: Record<string, string>; body: unknown }> {
  const config = upstreamSchema.parse(settings)
  const provider = providers[config.kind]
  const hop: Hop = { target: { upstream: { name: 'u', config }, model }, provider, dialect, streamUsage: 'ask' }
  const body = { model, stream: true, messages: [{ role: 'user', content: 'hi' }] }
  const built = buildRequest(
    {
      dialect: chatCompletions,
      model,
      stream: true,
      wantsUsage: false,
      body: new RequestBody(body, 'messages'),
      bytes: Buffer.from(JSON.stringify(body)),
      clientHeaders: {},
      traceparent: undefined,
      tracestate: undefined,
    },
    hop,
  )
  const signed = await signRequest(built, hop, { kind: 'secret', secret: 'the-key' }, 0)
  const headers: Record<string, string> = {}
  for (let at = 0; at < signed.headers.length; at += 2) headers[signed.headers[at] as string] = signed.headers[at + 1] as string
  return { url: `${'base_url' in config ? config.base_url : ''}${signed.path}`, headers, body: JSON.parse(String(signed.body)) }
}

describe('a preset', () => {
  test.each([
    ['mistral', 'https://api.mistral.ai/v1/chat/completions'],
    ['groq', 'https://api.groq.com/openai/v1/chat/completions'],
    ['deepseek', 'https://api.deepseek.com/v1/chat/completions'],
    ['cohere', 'https://api.cohere.ai/compatibility/v1/chat/completions'],
    ['perplexity', 'https://api.perplexity.ai/chat/completions'],
    ['zhipu', 'https://open.bigmodel.cn/api/paas/v4/chat/completions'],
    ['kimi', 'https://api.moonshot.ai/v1/chat/completions'],
    ['ollama', 'http://127.0.0.1:11434/v1/chat/completions'],
    ['litellm', 'http://127.0.0.1:4000/v1/chat/completions'],
  ])('%s is asked at %s, with a bearer', async (kind, url) => {
    const asked = await requestTo({ kind })
    expect(asked.url).toBe(url)
    expect(asked.headers['authorization']).toBe('Bearer the-key')
  })

  test.each(Object.entries(presetAddresses))('%s has an address, or asks for one', (kind, address) => {
    const read = upstreamSchema.safeParse({ kind })
    expect(read.success).toBe(address !== undefined)
    expect(upstreamSchema.parse({ kind, base_url: 'https://other.example/v1' })).toMatchObject({ base_url: 'https://other.example/v1' })
  })

  test('asks for usage in a stream, except where the vendor refuses to be asked', async () => {
    expect((await requestTo({ kind: 'groq' })).body).toMatchObject({ stream_options: { include_usage: true } })
    const { body } = await requestTo({ kind: 'kong', base_url: 'https://edge.example/route' })
    expect(body).not.toHaveProperty('model')
    expect(upstreamSchema.parse({ kind: 'cohere' }).stream_usage).toBe('never')
  })
})

test.each(['openai', 'azure'])('%s may be told to speak only what it speaks', (kind) => {
  const settings = { kind, base_url: 'https://res.openai.azure.com' }
  for (const speaks of Object.keys(providers[kind as 'openai' | 'azure'].dialects))
    expect(upstreamSchema.safeParse({ ...settings, speaks }).success).toBe(true)
  expect(upstreamSchema.safeParse({ ...settings, speaks: 'messages' }).success).toBe(false)
})

describe('azure', () => {
  const azure = { kind: 'azure', base_url: 'https://res.openai.azure.com' }

  test('is asked at the undated API with the key of the resource', async () => {
    const asked = await requestTo(azure)
    expect(asked.url).toBe('https://res.openai.azure.com/openai/v1/chat/completions')
    expect(asked.headers).toMatchObject({ 'api-key': 'the-key' })
    expect(asked.headers).not.toHaveProperty('authorization')
  })

  test.each([
    [azure, '/openai/v1/responses'],
    [{ ...azure, api_version: '2025-04-01-preview' }, '/openai/responses?api-version=2025-04-01-preview'],
  ])('is asked for responses, which name their model in the body', async (settings, path) => {
    const asked = await requestTo(settings, 'gpt', 'responses')
    expect(asked.url).toBe(`https://res.openai.azure.com${path}`)
    expect(asked.body).toMatchObject({ model: 'gpt' })
  })

  test('with a dated version, at the deployment of the name; with a token of Entra ID, as a bearer', async () => {
    const asked = await requestTo({ ...azure, api_version: '2024-10-21', auth: 'token' }, 'gpt 4/../x')
    expect(asked.url).toBe('https://res.openai.azure.com/openai/deployments/gpt%204%2F..%2Fx/chat/completions?api-version=2024-10-21')
    expect(asked.headers).toMatchObject({ authorization: 'Bearer the-key' })
  })

  test.each(['.', '..', ''])('%j names no deployment', async (model) => {
    await expect(requestTo({ ...azure, api_version: '2024-10-21' }, model)).rejects.toThrow(TurnwardError)
  })

  test.each(['2024-10-21&x=1', '../v', 'a/b'])('%j is no version', (api_version) => {
    expect(upstreamSchema.safeParse({ ...azure, api_version }).success).toBe(false)
  })
})
