/** AWS's client of Bedrock, unmodified but for its address and token, against upstreams of three dialects. */
import {
  ConverseCommand,
  ConverseStreamCommand,
  CountTokensCommand,
  BedrockRuntimeClient,
  type ContentBlock,
  type Message,
} from '@aws-sdk/client-bedrock-runtime'
import { NodeHttpHandler } from '@smithy/node-http-handler'
import { afterAll, beforeAll, describe, expect, test } from 'vitest'
import { bedrockClient, readStream } from '../harness/converse-agent.ts'
import { frame, converseFrames, eventStreamHeaders } from '../harness/converse-wire.ts'
import { secrets } from '../harness/governed-config.ts'
import { startGoverned, withBedrock, type GovernedGateway } from '../harness/governed-gateway.ts'
import { eventsOf, say, streamHeaders, vendorError, type ModelAnswer } from '../harness/model-answer.ts'
import { historyOf, requireCoherent } from '../harness/model-history.ts'
import { startVendor, type Vendor } from '../harness/vendor.ts'

const question = 'What is the weather in Zürich? 🌤️'
const ask: Message[] = [{ role: 'user', content: [{ text: question }] }]
const tool = (name: string) => ({
  toolSpec: { name, description: `Tool ${name}`, inputSchema: { json: { type: 'object', properties: {} } } },
})

let governed: GovernedGateway
let bedrock: Vendor
let client: BedrockRuntimeClient

beforeAll(async () => {
  bedrock = await startVendor()
  governed = await startGoverned((config) => withBedrock(config, bedrock.url))
  client = bedrockClient({ url: governed.url, key: secrets.alice })
})
afterAll(async () => {
  client.destroy()
  await governed.close()
  await bedrock.close()
})

describe.each([
  { upstream: 'bedrock', model: 'nova-test' },
  { upstream: 'openai', model: 'gpt-test' },
  { upstream: 'anthropic', model: 'claude-test' },
] as const)('the AWS SDK against an $upstream upstream', ({ upstream, model: modelId }) => {
  const vendor = (): Vendor => (upstream === 'bedrock' ? bedrock : governed.vendors[upstream])
  const answers = (answer: ModelAnswer): void => vendor().respond((request) => say(request, answer))

  test('gets a whole answer with its usage', async () => {
    answers({ text: 'Sunny, 21 °C. 🌤️', usage: { input: 40, output: 9 } })
    const answer = await client.send(new ConverseCommand({ modelId, system: [{ text: 'Be brief.' }], messages: ask }))
    expect(answer.output?.message).toEqual({ role: 'assistant', content: [{ text: 'Sunny, 21 °C. 🌤️' }] })
    expect(answer.stopReason).toBe('end_turn')
    expect(answer.usage).toMatchObject({ inputTokens: 40, outputTokens: 9, totalTokens: 49 })
    expect(historyOf(vendor().last())).toEqual([{ role: 'user', text: question, calls: [], results: [] }])
    expect(JSON.stringify(vendor().last().body)).toContain('Be brief.')
  })

  test('streams text piece by piece', async () => {
    answers({ text: 'Sunny, 21 °C. 🌤️ And no rain at all.', usage: { input: 40, output: 9 } })
    const { stream } = await client.send(new ConverseStreamCommand({ modelId, messages: ask }))
    let text = ''
    let pieces = 0
    let usage: unknown
    for await (const event of stream ?? []) {
      if (event.contentBlockDelta !== undefined) pieces += 1
      text += event.contentBlockDelta?.delta?.text ?? ''
      usage ??= event.metadata?.usage
    }
    expect(text).toBe('Sunny, 21 °C. 🌤️ And no rain at all.')
    expect(pieces).toBeGreaterThan(2)
    expect(usage).toMatchObject({ inputTokens: 40, outputTokens: 9 })
  })

  test.each([false, true])('calls two tools at once, one without arguments (stream: %s)', async (stream) => {
    const calls = [
      { id: 'call_time', name: 'get_time' },
      { id: 'call_notes', name: 'read_notes', args: { topic: 'Wäsche' } },
    ]
    vendor().respond((request) =>
      say(request, historyOf(request).some(({ results }) => results.length > 0) ? { text: 'Noon.' } : { text: 'I look.', calls }),
    )
    const request = { modelId, messages: ask, toolConfig: { tools: [tool('get_time'), tool('read_notes')] } }
    const next = async (messages: Message[]): Promise<ContentBlock[]> => {
      if (stream) return (await readStream((await client.send(new ConverseStreamCommand({ ...request, messages }))).stream)).content
      return (await client.send(new ConverseCommand({ ...request, messages }))).output?.message?.content ?? []
    }
    const content = await next(ask)
    expect(content).toEqual([
      { text: 'I look.' },
      { toolUse: { toolUseId: 'call_time', name: 'get_time', input: {} } },
      { toolUse: { toolUseId: 'call_notes', name: 'read_notes', input: { topic: 'Wäsche' } } },
    ])
    const results: ContentBlock[] = [
      { toolResult: { toolUseId: 'call_time', content: [{ json: { time: '12:00' } }] } },
      { toolResult: { toolUseId: 'call_notes', content: [{ text: 'wash it' }], status: 'success' } },
    ]
    expect(await next([...ask, { role: 'assistant', content }, { role: 'user', content: results }])).toEqual([{ text: 'Noon.' }])
    expect(requireCoherent(vendor().last()).flatMap((entry) => entry.results.map(({ id }) => id))).toEqual(['call_time', 'call_notes'])
    expect(JSON.stringify(vendor().last().body)).toContain('12:00')
  })

  test('sends an image', async () => {
    answers({ text: 'A cat.' })
    const image = { format: 'png' as const, source: { bytes: Buffer.from('iVBORw0KGgo=', 'base64') } }
    await client.send(new ConverseCommand({ modelId, messages: [{ role: 'user', content: [{ text: 'What is it?' }, { image }] }] }))
    expect(JSON.stringify(vendor().last().body)).toContain('iVBORw0KGgo=')
  })

  test('tells an answer that was cut by length from one that ended', async () => {
    answers({ text: 'Once upon', finish: 'length' })
    const answer = await client.send(new ConverseCommand({ modelId, messages: ask, inferenceConfig: { maxTokens: 5 } }))
    expect(answer.stopReason).toBe('max_tokens')
  })

  test('asks for an answer with a structure', async () => {
    answers({ text: '{"temperature":21}' })
    const schema = JSON.stringify({ type: 'object', properties: { temperature: { type: 'number' } }, required: ['temperature'] })
    const textFormat = { type: 'json_schema' as const, structure: { jsonSchema: { name: 'weather', schema } } }
    await client.send(new ConverseCommand({ modelId, messages: ask, outputConfig: { textFormat } }))
    expect(JSON.stringify(vendor().last().body)).toContain('temperature')
  })

  test('throws its own exceptions for errors of the upstream and of the gateway', async () => {
    const errors = [
      [400, 'ValidationException'],
      [429, 'ThrottlingException'],
      [500, 'InternalServerException'],
    ] as const
    for (const [status, name] of errors) {
      vendor().respond((request) =>
        upstream === 'bedrock'
          ? {
              status,
              headers: { 'x-amzn-errortype': `${name}:http://internal.example/` },
              parts: [JSON.stringify({ message: 'the vendor says no' })],
            }
          : vendorError(request, status, 'the vendor says no'),
      )
      for (const command of [ConverseCommand, ConverseStreamCommand]) {
        const sent = client.send(new command({ modelId, messages: ask }) as ConverseCommand)
        await expect(sent).rejects.toMatchObject({ name, message: expect.stringContaining('the vendor says no') })
      }
    }
    const unseen = client.send(new ConverseCommand({ modelId, messages: ask, promptVariables: { a: { text: 'b' } } }))
    await expect(unseen).rejects.toMatchObject({ name: 'ValidationException', message: expect.stringContaining('promptVariables') })
  })

  test('is told of a stream that breaks off', async () => {
    vendor().respond((request) => ({
      headers: upstream === 'bedrock' ? eventStreamHeaders : streamHeaders(request),
      parts: (upstream === 'bedrock' ? converseFrames : eventsOf.bind(undefined, request))({ text: 'Sunny, 21 °C. And no rain.' }).slice(
        0,
        4,
      ),
    }))
    const { stream } = await client.send(new ConverseStreamCommand({ modelId, messages: ask }))
    await expect(readStream(stream)).rejects.toMatchObject({ name: 'InternalServerException', message: expect.stringContaining('cut off') })
  })
})

test('tokens are counted, as an estimate', async () => {
  const counted = await client.send(new CountTokensCommand({ modelId: 'nova-test', input: { converse: { messages: ask } } }))
  expect(counted.inputTokens).toBeGreaterThan(5)
  const other = client.send(new CountTokensCommand({ modelId: 'nova-test', input: { invokeModel: { body: Buffer.from('{}') } } }))
  await expect(other).rejects.toMatchObject({ name: 'ValidationException', message: expect.stringContaining('input.invokeModel') })
})

test('is asked in frames, with a signature and without anything of the caller’s', async () => {
  bedrock.respond((request) => say(request, { text: 'Sunny.' }))
  await readStream((await client.send(new ConverseStreamCommand({ modelId: 'nova-test', messages: ask }))).stream)
  const { path, headers, body } = bedrock.last()
  expect(path).toBe('/v1/model/us.amazon.nova-pro-v1%3A0/converse-stream')
  expect(headers).toMatchObject({ accept: 'application/vnd.amazon.eventstream', 'content-type': 'application/json' })
  expect(headers.authorization).toMatch(
    /^AWS4-HMAC-SHA256 Credential=AKIDCONFORMANCE\/\d{8}\/us-east-1\/bedrock\/aws4_request, SignedHeaders=content-type;host;x-amz-date, Signature=[0-9a-f]{64}$/,
  )
  expect(JSON.stringify(headers)).not.toContain(secrets.alice)
  expect(Object.keys(body)).toEqual(['messages'])
})

test.each([
  ['the virtual key as access key id', secrets.alice, undefined],
  ['an unknown key as access key id', 'tw_unknown_unknown_unknown', 'AccessDeniedException'],
  ['keys of AWS', 'AKIAIOSFODNN7EXAMPLE', 'AccessDeniedException'],
] as const)('a client that signs with %s', async (_, id, refusal) => {
  bedrock.respond((request) => say(request, { text: 'Sunny.' }))
  const signing = new BedrockRuntimeClient({
    region: 'us-east-1',
    endpoint: governed.url,
    credentials: { accessKeyId: id, secretAccessKey: 'anything' },
    maxAttempts: 1,
    requestHandler: new NodeHttpHandler(),
  })
  const sent = signing.send(new ConverseCommand({ modelId: 'nova-test', messages: ask }))
  if (refusal === undefined) expect((await sent).stopReason).toBe('end_turn')
  else await expect(sent).rejects.toMatchObject({ name: refusal })
  signing.destroy()
})

test('an exception in the middle of a stream reaches the client as what it is', async () => {
  for (const name of [
    'modelStreamErrorException',
    'throttlingException',
    'internalServerException',
    'validationException',
    'serviceUnavailableException',
  ]) {
    bedrock.respond(() => ({
      headers: eventStreamHeaders,
      parts: [...converseFrames({ text: 'Sunny.' }).slice(0, 2), frame(name, { message: 'it broke' })],
    }))
    const { stream } = await client.send(new ConverseStreamCommand({ modelId: 'nova-test', messages: ask }))
    await expect(readStream(stream)).rejects.toMatchObject({ name: `${name.charAt(0).toUpperCase()}${name.slice(1)}`, message: 'it broke' })
  }
})

test.each([
  'arn:aws:bedrock:us-east-1:123456789012:inference-profile/us.anthropic.claude-sonnet-4-5-20250929-v1:0',
  'arn:aws:bedrock:eu-central-1:123456789012:application-inference-profile/a1b2c3d4e5f6',
  'anthropic.claude-3-5-haiku-20241022-v1:0',
])('models are named as AWS names them: %s', async (id) => {
  bedrock.respond((request) => say(request, { text: 'Sunny.' }))
  await client.send(new ConverseCommand({ modelId: `bedrock/${id}`, messages: ask }))
  expect(bedrock.last().path).toBe(`/v1/model/${encodeURIComponent(id)}/converse`)
})
