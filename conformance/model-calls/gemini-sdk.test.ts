/** Google's client, unmodified but for its address and key, against upstreams of four dialects. */
import {
  type Content,
  FunctionCallingConfigMode,
  type GenerateContentConfig,
  type GenerateContentResponse,
  type GoogleGenAI,
  type Part,
  Type,
} from '@google/genai'
import { afterAll, beforeAll, describe, expect, test } from 'vitest'
import { collect, geminiClient } from '../harness/gemini-agent.ts'
import { geminiEvents, geminiHeaders } from '../harness/gemini-wire.ts'
import { secrets } from '../harness/governed-config.ts'
import { geminiKey, startGoverned, withBedrock, withGemini, type GovernedGateway } from '../harness/governed-gateway.ts'
import { eventsOf, say, streamHeaders, vendorError, type ModelAnswer } from '../harness/model-answer.ts'
import { historyOf, requireCoherent } from '../harness/model-history.ts'
import { startVendor, type Vendor } from '../harness/vendor.ts'

const question = 'What is the weather in Zürich? 🌤️'
const ask: Content[] = [{ role: 'user', parts: [{ text: question }] }]
const tools = [
  {
    functionDeclarations: [
      { name: 'get_time', description: 'The time' },
      { name: 'read_notes', description: 'Notes', parameters: { type: Type.OBJECT, properties: { topic: { type: Type.STRING } } } },
    ],
  },
]

let governed: GovernedGateway
let google: Vendor
let bedrock: Vendor
let client: GoogleGenAI

beforeAll(async () => {
  ;[google, bedrock] = [await startVendor(), await startVendor()]
  governed = await startGoverned((config) => withGemini(withBedrock(config, bedrock.url), google.url))
  client = geminiClient(governed.url, secrets.alice)
})
afterAll(async () => {
  await governed.close()
  await google.close()
  await bedrock.close()
})

describe.each([
  { upstream: 'gemini', model: 'gemini-test' },
  { upstream: 'openai', model: 'gpt-test' },
  { upstream: 'anthropic', model: 'claude-test' },
  { upstream: 'bedrock', model: 'nova-test' },
] as const)('the Google SDK against a $upstream upstream', ({ upstream, model }) => {
  const vendor = (): Vendor => (upstream === 'gemini' ? google : upstream === 'bedrock' ? bedrock : governed.vendors[upstream])
  const answers = (answer: ModelAnswer): void => vendor().respond((request) => say(request, answer))
  const next = async (stream: boolean, contents: Content[], config: GenerateContentConfig = {}): Promise<GenerateContentResponse> => {
    if (stream) return collect(await client.models.generateContentStream({ model, contents, config }))
    return client.models.generateContent({ model, contents, config })
  }

  test('gets a whole answer with its usage', async () => {
    answers({ text: 'Sunny, 21 °C. 🌤️', usage: { input: 40, output: 9 } })
    const answer = await next(false, ask, { systemInstruction: 'Be brief.', temperature: 0.5, maxOutputTokens: 100 })
    expect(answer.text).toBe('Sunny, 21 °C. 🌤️')
    expect(answer.candidates?.[0]?.finishReason).toBe('STOP')
    expect(answer.usageMetadata).toMatchObject({ promptTokenCount: 40, candidatesTokenCount: 9, totalTokenCount: 49 })
    expect(historyOf(vendor().last())).toEqual([{ role: 'user', text: question, calls: [], results: [] }])
    expect(JSON.stringify(vendor().last().body)).toContain('Be brief.')
  })

  test('streams text piece by piece', async () => {
    answers({ text: 'Sunny, 21 °C. 🌤️ And no rain at all.', usage: { input: 40, output: 9 } })
    let pieces = 0
    let text = ''
    let usage: unknown
    for await (const event of await client.models.generateContentStream({ model, contents: question })) {
      pieces += 1
      text += event.text ?? ''
      usage = event.usageMetadata
    }
    expect(text).toBe('Sunny, 21 °C. 🌤️ And no rain at all.')
    expect(pieces).toBeGreaterThan(2)
    expect(usage).toMatchObject({ promptTokenCount: 40, candidatesTokenCount: 9 })
  })

  test.each([false, true])('calls two tools at once, one without arguments (stream: %s)', async (stream) => {
    const calls = [
      { id: 'call_time', name: 'get_time' },
      { id: 'call_notes', name: 'read_notes', args: { topic: 'Wäsche' } },
    ]
    vendor().respond((request) =>
      say(request, historyOf(request).some(({ results }) => results.length > 0) ? { text: 'Noon.' } : { text: 'I look.', calls }),
    )
    const config = { tools, toolConfig: { functionCallingConfig: { mode: FunctionCallingConfigMode.AUTO } } }
    const answer = await next(stream, ask, config)
    expect(answer.functionCalls).toEqual([
      { id: 'call_time', name: 'get_time', args: {} },
      { id: 'call_notes', name: 'read_notes', args: { topic: 'Wäsche' } },
    ])
    const results: Part[] = [
      { functionResponse: { id: 'call_time', name: 'get_time', response: { output: '12:00' } } },
      { functionResponse: { id: 'call_notes', name: 'read_notes', response: { notes: ['wash it'] } } },
    ]
    const model_ = answer.candidates?.[0]?.content ?? {}
    expect((await next(stream, [...ask, model_, { role: 'user', parts: results }], config)).text).toBe('Noon.')
    expect(requireCoherent(vendor().last()).flatMap((entry) => entry.results.map(({ id }) => id))).toEqual(['call_time', 'call_notes'])
    expect(JSON.stringify(vendor().last().body)).toMatch(/12:00[^]*wash it/)
  })

  test('keeps a conversation in a chat', async () => {
    answers({ text: 'Sunny.' })
    const chat = client.chats.create({ model })
    await chat.sendMessage({ message: question })
    for await (const event of await chat.sendMessageStream({ message: 'And tomorrow?' })) expect(event.candidates).toHaveLength(1)
    await chat.sendMessage({ message: 'And then?' })
    expect(historyOf(vendor().last()).map(({ role, text }) => [role, text])).toEqual([
      ['user', question],
      ['assistant', 'Sunny.'],
      ['user', 'And tomorrow?'],
      ['assistant', 'Sunny.'],
      ['user', 'And then?'],
    ])
  })

  test('sends an image', async () => {
    answers({ text: 'A cat.' })
    await next(false, [{ role: 'user', parts: [{ text: 'What is it?' }, { inlineData: { mimeType: 'image/png', data: 'iVBORw0KGgo=' } }] }])
    expect(JSON.stringify(vendor().last().body)).toContain('iVBORw0KGgo=')
  })

  test('tells an answer that was cut by length from one that ended', async () => {
    answers({ text: 'Once upon', finish: 'length' })
    expect((await next(false, ask, { maxOutputTokens: 5 })).candidates?.[0]?.finishReason).toBe('MAX_TOKENS')
    expect((await next(true, ask, { maxOutputTokens: 5 })).candidates?.[0]?.finishReason).toBe('MAX_TOKENS')
  })

  test('asks for an answer with a structure', async () => {
    answers({ text: '{"temperature":21}' })
    const responseSchema = { type: Type.OBJECT, properties: { temperature: { type: Type.NUMBER } }, required: ['temperature'] }
    await next(false, ask, { responseMimeType: 'application/json', responseSchema })
    expect(JSON.stringify(vendor().last().body)).toContain('temperature')
    const responseJsonSchema = { type: 'object', properties: { humidity: { type: 'number' } }, required: ['humidity'] }
    await next(false, ask, { responseMimeType: 'application/json', responseJsonSchema })
    expect(JSON.stringify(vendor().last().body)).toContain('humidity')
  })

  test('throws its own error for errors of the upstream and of the gateway', async () => {
    for (const status of [400, 429, 500]) {
      vendor().respond((request) =>
        upstream === 'bedrock'
          ? { status, parts: [JSON.stringify({ message: 'the vendor says no' })] }
          : vendorError(request, status, 'the vendor says no'),
      )
      for (const stream of [false, true])
        await expect(next(stream, ask)).rejects.toMatchObject({
          name: 'ApiError',
          status,
          message: expect.stringContaining('the vendor says no'),
        })
    }
    const several = next(false, ask, { candidateCount: 2 })
    await expect(several).rejects.toMatchObject({
      status: 400,
      message: expect.stringMatching(/request\.unsupported[^]*|generationConfig\.candidateCount/),
    })
  })

  if (upstream !== 'bedrock')
    test('is told of a stream that breaks off', async () => {
      vendor().respond((request) => ({
        headers: streamHeaders(request),
        parts: eventsOf(request, { text: 'Sunny, 21 °C. And no rain.' }).slice(0, upstream === 'anthropic' ? 5 : 2),
      }))
      await expect(next(true, ask)).rejects.toThrow(/upstream/)
    })
})

test('counts tokens: at the vendor where it speaks Gemini, estimated elsewhere', async () => {
  google.respond((request) => say(request, {}))
  expect(await client.models.countTokens({ model: 'gemini-test', contents: question })).toMatchObject({ totalTokens: 31 })
  expect(google.last()).toMatchObject({ path: '/v1beta/models/gemini-test:countTokens', headers: { 'x-goog-api-key': geminiKey } })
  expect((await client.models.countTokens({ model: 'gpt-test', contents: question })).totalTokens).toBeGreaterThan(5)
})

test('lists the models its caller may use, those of Google by their own names', async () => {
  const listed = (name: string, methods: string[]) => ({ name: `models/${name}`, supportedGenerationMethods: methods })
  google.respond(({ path }) => {
    const isFirst = !path.includes('pageToken')
    const models = isFirst
      ? [listed('gemini-2.5-pro', ['generateContent', 'countTokens']), listed('gemini-embedding-001', ['embedContent'])]
      : [listed('gemini-3-pro', ['generateContent'])]
    return { headers: geminiHeaders, parts: [JSON.stringify({ models, ...(isFirst ? { nextPageToken: 'next page' } : {}) })] }
  })
  const names: (string | undefined)[] = []
  for await (const { name } of await client.models.list()) names.push(name)
  expect(names).toEqual(expect.arrayContaining(['models/gpt-test', 'models/claude-test', 'models/gemini-2.5-pro', 'models/gemini-3-pro']))
  expect(names).not.toContain('models/gemini-embedding-001')
  expect(google.requests.filter(({ method }) => method === 'GET').map(({ path }) => path)).toEqual([
    '/v1beta/models?pageSize=1000',
    '/v1beta/models?pageSize=1000&pageToken=next%20page',
  ])
  expect(await client.models.get({ model: 'gemini-2.5-pro' })).toMatchObject({
    name: 'models/gemini-2.5-pro',
    displayName: 'gemini-2.5-pro',
  })
  const bob = geminiClient(governed.url, secrets.bob)
  expect((await bob.models.list()).page.map(({ name }) => name)).toEqual(['models/gpt-test'])
  await expect(bob.models.get({ model: 'claude-test' })).rejects.toMatchObject({ status: 404 })
})

test('makes embeddings, one and several', async () => {
  google.respond(({ body }) => ({
    headers: geminiHeaders,
    parts: [JSON.stringify({ embeddings: (body.requests as object[]).map((_, at) => ({ values: [at, 0.5] })) })],
  }))
  const { embeddings } = await client.models.embedContent({
    model: 'gemini-embedding-001',
    contents: ['a', 'b'],
    config: { taskType: 'RETRIEVAL_QUERY', outputDimensionality: 2 },
  })
  expect(embeddings?.map(({ values }) => values)).toEqual([
    [0, 0.5],
    [1, 0.5],
  ])
  expect(google.last()).toMatchObject({
    path: '/v1beta/models/gemini-embedding-001:batchEmbedContents',
    body: { requests: [{ model: 'models/gemini-embedding-001', taskType: 'RETRIEVAL_QUERY', content: { parts: [{ text: 'a' }] } }, {}] },
  })
})

test('the other version of the API is the same to a client', async () => {
  google.respond((request) => say(request, { text: 'Sunny.' }))
  const beta = geminiClient(governed.url, secrets.alice, { apiVersion: 'v1beta' })
  expect((await beta.models.generateContent({ model: 'gemini-test', contents: 'hi' })).text).toBe('Sunny.')
  expect((await collect(await beta.models.generateContentStream({ model: 'gemini-test', contents: 'hi' }))).text).toBe('Sunny.')
})

test('thoughts and signatures come back to Google as they came, byte for byte', async () => {
  const calls = [
    { id: '', name: 'get_time' },
    { id: '', name: 'get_time' },
  ]
  google.respond((request) =>
    say(
      request,
      historyOf(request).length > 1 ? { text: 'Noon.' } : { thinking: { text: 'Hm.', signature: 'c2lnbmF0dXJl' }, text: 'I look.', calls },
    ),
  )
  const answer = await collect(await client.models.generateContentStream({ model: 'gemini-test', contents: ask, config: { tools } }))
  expect(answer.functionCalls?.map(({ id }) => id)).toEqual([undefined, undefined])
  const parts = answer.candidates?.[0]?.content?.parts ?? []
  const sent = geminiEvents({ thinking: { text: 'Hm.', signature: 'c2lnbmF0dXJl' }, text: 'I look.', calls }, 'gemini-test')
  expect(parts).toEqual(
    sent.flatMap((event) => (JSON.parse(event.slice(6)) as { candidates: { content: Content }[] }).candidates[0]?.content.parts ?? []),
  )
  const results = ['12:00', '12:01'].map((output): Part => ({ functionResponse: { name: 'get_time', response: { output } } }))
  const contents = [...ask, { role: 'model', parts }, { role: 'user', parts: results }]
  expect((await client.models.generateContent({ model: 'gemini-test', contents, config: { tools } })).text).toBe('Noon.')
  expect(google.last().body.contents).toEqual(contents)
  expect(google.last().bytes.toString()).not.toContain('tw_call_')
})
