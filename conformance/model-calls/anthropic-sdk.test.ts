/** The official Anthropic client, unmodified but for its base URL, against both kinds of upstream. */
import Anthropic from '@anthropic-ai/sdk'
import { afterAll, beforeAll, describe, expect, test } from 'vitest'
import { secrets } from '../harness/governed-config.ts'
import { startGoverned, type GovernedGateway } from '../harness/governed-gateway.ts'
import { eventsOf, say, streamHeaders, vendorError } from '../harness/model-answer.ts'
import { historyOf, offeredTools, requireCoherent } from '../harness/model-history.ts'

const tool = (name: string): Anthropic.Tool => ({
  name,
  description: `Tool ${name}`,
  input_schema: { type: 'object', properties: { topic: { type: 'string' } } },
})
const tools = [tool('get_time'), tool('read_notes')]
const question: Anthropic.MessageParam[] = [{ role: 'user', content: 'What is the weather in Zürich? 🌤️' }]
const max_tokens = 1024

let governed: GovernedGateway
let client: Anthropic

beforeAll(async () => {
  governed = await startGoverned()
  client = new Anthropic({ apiKey: secrets.alice, baseURL: governed.url, maxRetries: 0 })
})
afterAll(() => governed.close())

describe.each([
  { upstream: 'anthropic', model: 'claude-test' },
  { upstream: 'openai', model: 'gpt-test' },
] as const)('the Anthropic SDK against an $upstream upstream', ({ upstream, model }) => {
  const vendor = () => governed.vendors[upstream]

  test('gets a whole answer with its usage', async () => {
    governed.answer({ text: 'Sunny, 21 °C. 🌤️', usage: { input: 40, output: 9 } })
    const message = await client.messages.create({ model, max_tokens, system: 'Be brief.', messages: question })
    expect(message).toMatchObject({
      type: 'message',
      role: 'assistant',
      stop_reason: 'end_turn',
      usage: { input_tokens: 40, output_tokens: 9 },
    })
    expect(message.content).toMatchObject([{ type: 'text', text: 'Sunny, 21 °C. 🌤️' }])
    expect(historyOf(vendor().last())).toEqual([{ role: 'user', text: 'What is the weather in Zürich? 🌤️', calls: [], results: [] }])
  })

  test('streams text, and puts the message together again', async () => {
    governed.answer({ text: 'Sunny, 21 °C. 🌤️ And no rain.', usage: { input: 40, output: 9 } })
    const stream = client.messages.stream({ model, max_tokens, messages: question })
    const pieces: string[] = []
    stream.on('text', (piece) => pieces.push(piece))
    const message = await stream.finalMessage()
    expect(pieces.length).toBeGreaterThan(2)
    expect(pieces.join('')).toBe('Sunny, 21 °C. 🌤️ And no rain.')
    expect(message).toMatchObject({ stop_reason: 'end_turn', usage: { output_tokens: 9 } })
  })

  test.each([false, true])('calls two tools at once, one without arguments (stream: %s)', async (stream) => {
    const calls = [
      { id: 'toolu_time', name: 'get_time' },
      { id: 'toolu_notes', name: 'read_notes', args: { topic: 'Wäsche' } },
    ]
    governed.respond((request) =>
      say(request, historyOf(request).some(({ results }) => results.length > 0) ? { text: 'Noon.' } : { text: 'I look.', calls }),
    )
    const body = { model, max_tokens, messages: question, tools }
    const message = stream ? await client.messages.stream(body).finalMessage() : await client.messages.create(body)
    expect(message.stop_reason).toBe('tool_use')
    expect(message.content).toMatchObject([
      { type: 'text', text: 'I look.' },
      { type: 'tool_use', id: 'toolu_time', name: 'get_time', input: {} },
      { type: 'tool_use', id: 'toolu_notes', name: 'read_notes', input: { topic: 'Wäsche' } },
    ])
    const results = calls.map(({ id }) => ({ type: 'tool_result' as const, tool_use_id: id, content: `result of ${id}` }))
    const second = await client.messages.create({
      ...body,
      messages: [...question, { role: 'assistant', content: message.content }, { role: 'user', content: results }],
    })
    expect(second.content).toMatchObject([{ type: 'text', text: 'Noon.' }])
    const history = requireCoherent(vendor().last())
    expect(history.flatMap((entry) => entry.results)).toEqual([
      { id: 'toolu_time', text: 'result of toolu_time' },
      { id: 'toolu_notes', text: 'result of toolu_notes' },
    ])
    expect(offeredTools(vendor().last())).toEqual(['get_time', 'read_notes'])
  })

  test('turns each failure into the error class the SDK has for it', async () => {
    const call = (apiKey: string, name: string = model) =>
      new Anthropic({ apiKey, baseURL: governed.url, maxRetries: 0 }).messages.create({ model: name, max_tokens, messages: question })
    const says = (type: string) => (error: unknown) =>
      error instanceof Anthropic.APIError && JSON.stringify(error.error).includes(`"type":"${type}"`)
    await expect(call('tw_nobody')).rejects.toSatisfy(
      (error) => error instanceof Anthropic.AuthenticationError && says('authentication_error')(error),
    )
    await expect(call(secrets.alice, 'claude-unheard-of')).rejects.toSatisfy(
      (error) => error instanceof Anthropic.NotFoundError && says('not_found_error')(error),
    )
    governed.respond((request) => vendorError(request, 400, 'messages: at least one is required'))
    await expect(call(secrets.alice)).rejects.toSatisfy(
      (error) => error instanceof Anthropic.BadRequestError && error.message.includes('at least one is required'),
    )
    governed.respond((request) => vendorError(request, 429, 'slow down'))
    await expect(call(secrets.alice)).rejects.toSatisfy(
      (error) => error instanceof Anthropic.RateLimitError && says('rate_limit_error')(error),
    )
  })

  test('an abort reaches the vendor', async () => {
    governed.respond((request) => ({
      headers: streamHeaders(request),
      parts: eventsOf(request, { text: 'A very long story' }).slice(0, 3),
      ends: 'never',
    }))
    const stream = await client.messages.create({ model, max_tokens, messages: question, stream: true })
    for await (const event of stream) {
      expect(event.type).toBe('message_start')
      break
    }
    expect(await vendor().last().ended).toBe('left')
  })
})

describe('what only the Messages API has', () => {
  const model = 'claude-test'
  const vendor = () => governed.vendors.anthropic
  const thinking = { text: 'The user asks about weather. Let me think.', signature: 'EqQBCgIYAhIM1gbcDa9GJwZA2b3hGgxBdjrkzLoky3dl1pk=' }

  test.each([false, true])('thinking comes and goes back with its signature untouched (stream: %s)', async (stream) => {
    governed.respond((request) =>
      say(
        request,
        historyOf(request).some(({ results }) => results.length > 0)
          ? { text: 'Noon.' }
          : { thinking, text: 'I look.', calls: [{ id: 'toolu_time', name: 'get_time' }] },
      ),
    )
    const body = { model, max_tokens: 4096, thinking: { type: 'enabled' as const, budget_tokens: 2048 }, messages: question, tools }
    const message = stream ? await client.messages.stream(body).finalMessage() : await client.messages.create(body)
    expect(message.content[0]).toEqual({ type: 'thinking', thinking: thinking.text, signature: thinking.signature })
    const result: Anthropic.MessageParam = { role: 'user', content: [{ type: 'tool_result', tool_use_id: 'toolu_time', content: '12:00' }] }
    await client.messages.create({ ...body, messages: [...question, { role: 'assistant', content: message.content }, result] })
    expect(vendor().last().body.messages[1].content[0]).toEqual({
      type: 'thinking',
      thinking: thinking.text,
      signature: thinking.signature,
    })
  })

  test('cache marks arrive where they were set', async () => {
    governed.answer({ text: 'ok' })
    const cache_control = { type: 'ephemeral' as const }
    const system = [{ type: 'text' as const, text: 'Long manual.', cache_control }]
    await client.messages.create({
      model,
      max_tokens,
      system,
      tools: [tool('get_time'), { ...tool('read_notes'), cache_control }],
      messages: [{ role: 'user', content: [{ type: 'text', text: 'Hi', cache_control }] }],
    })
    const { body } = vendor().last()
    expect(body.system).toEqual(system)
    expect(body.tools[1].cache_control).toEqual(cache_control)
    expect(body.messages[0].content[0].cache_control).toEqual(cache_control)
  })

  test('beta and version headers reach the vendor', async () => {
    governed.answer({ text: 'ok' })
    await client.messages.create(
      { model, max_tokens, messages: question },
      { headers: { 'anthropic-beta': 'context-1m-2025-08-07', 'anthropic-version': '2023-01-01' } },
    )
    expect(vendor().last().headers).toMatchObject({ 'anthropic-beta': 'context-1m-2025-08-07', 'anthropic-version': '2023-01-01' })
  })

  test('tokens are counted by the vendor', async () => {
    governed.respond(() => ({ parts: ['{"input_tokens":2095}'] }))
    expect(await client.messages.countTokens({ model, messages: question, tools })).toMatchObject({ input_tokens: 2095 })
    expect(vendor().last()).toMatchObject({ path: '/v1/messages/count_tokens', headers: { 'x-api-key': secrets.anthropic } })
    await expect(client.messages.countTokens({ model: 'claude-unheard-of', messages: question })).rejects.toBeInstanceOf(
      Anthropic.NotFoundError,
    )
  })

  test('models are listed page by page', async () => {
    const names: string[] = []
    for await (const { id, type } of client.models.list()) names.push(`${type} ${id}`)
    expect(names).toEqual(['model gpt-test', 'model claude-test'])
  })
})
