/** The official OpenAI client, unmodified but for its base URL, against both kinds of upstream. */
import OpenAI from 'openai'
import { afterAll, beforeAll, describe, expect, test } from 'vitest'
import { secrets } from '../harness/governed-config.ts'
import { startGoverned, type GovernedGateway } from '../harness/governed-gateway.ts'
import { eventsOf, say, streamHeaders, vendorError } from '../harness/model-answer.ts'
import { historyOf, offeredTools, requireCoherent } from '../harness/model-history.ts'

const tool = (
  name: string,
  parameters: Record<string, unknown> = { type: 'object', properties: {} },
): OpenAI.Chat.Completions.ChatCompletionTool => ({
  type: 'function',
  function: { name, description: `Tool ${name}`, parameters },
})
const tools = [tool('get_time'), tool('read_notes', { type: 'object', properties: { topic: { type: 'string' } } })]
const question: OpenAI.Chat.Completions.ChatCompletionMessageParam[] = [{ role: 'user', content: 'What is the weather in Zürich? 🌤️' }]

let governed: GovernedGateway
let client: OpenAI

beforeAll(async () => {
  governed = await startGoverned()
  client = new OpenAI({ apiKey: secrets.alice, baseURL: `${governed.url}/v1`, maxRetries: 0 })
})
afterAll(() => governed.close())

describe.each([
  { upstream: 'openai', model: 'gpt-test' },
  { upstream: 'anthropic', model: 'claude-test' },
] as const)('the OpenAI SDK against an $upstream upstream', ({ upstream, model }) => {
  const vendor = () => governed.vendors[upstream]

  test('gets a whole answer with its usage', async () => {
    governed.answer({ text: 'Sunny, 21 °C. 🌤️', usage: { input: 40, output: 9 } })
    const completion = await client.chat.completions.create({ model, messages: [{ role: 'system', content: 'Be brief.' }, ...question] })
    expect(completion.choices).toHaveLength(1)
    expect(completion.choices[0]?.message).toMatchObject({ role: 'assistant', content: 'Sunny, 21 °C. 🌤️' })
    expect(completion.choices[0]?.finish_reason).toBe('stop')
    expect(completion.usage).toMatchObject({ prompt_tokens: 40, completion_tokens: 9, total_tokens: 49 })
    expect(historyOf(vendor().last())).toEqual([{ role: 'user', text: 'What is the weather in Zürich? 🌤️', calls: [], results: [] }])
  })

  test('tells an answer that was cut by length from one that ended', async () => {
    governed.answer({ text: 'Once upon', finish: 'length' })
    const completion = await client.chat.completions.create({ model, messages: question, max_tokens: 2 })
    expect(completion.choices[0]?.finish_reason).toBe('length')
  })

  test('streams text piece by piece', async () => {
    governed.answer({ text: 'Sunny, 21 °C. 🌤️ And no rain at all.' })
    let text = ''
    let pieces = 0
    const finishes: unknown[] = []
    for await (const chunk of await client.chat.completions.create({ model, messages: question, stream: true })) {
      const choice = chunk.choices[0]
      text += choice?.delta.content ?? ''
      if (choice?.delta.content) pieces += 1
      if (choice?.finish_reason) finishes.push(choice.finish_reason)
      expect(chunk.usage ?? null).toBeNull()
      expect(chunk.choices).toHaveLength(1)
    }
    expect(text).toBe('Sunny, 21 °C. 🌤️ And no rain at all.')
    expect(pieces).toBeGreaterThan(2)
    expect(finishes).toEqual(['stop'])
  })

  test('streams usage in one last chunk when it asks for it', async () => {
    governed.answer({ text: 'Sunny.', usage: { input: 40, output: 9 } })
    const usages: unknown[] = []
    const stream = await client.chat.completions.create({
      model,
      messages: question,
      stream: true,
      stream_options: { include_usage: true },
    })
    for await (const chunk of stream) if (chunk.usage) usages.push({ choices: chunk.choices, usage: chunk.usage })
    expect(usages).toHaveLength(1)
    expect(usages[0]).toMatchObject({ choices: [], usage: { prompt_tokens: 40, completion_tokens: 9 } })
  })

  test.each([false, true])('calls two tools at once, one without arguments (stream: %s)', async (stream) => {
    const calls = [
      { id: 'call_time', name: 'get_time' },
      { id: 'call_notes', name: 'read_notes', args: { topic: 'Wäsche' } },
    ]
    governed.respond((request) =>
      say(request, historyOf(request).some(({ results }) => results.length > 0) ? { text: 'Noon.' } : { text: 'I look.', calls }),
    )
    const runner = stream ? client.chat.completions.stream({ model, messages: question, tools }) : undefined
    const message =
      runner === undefined
        ? (await client.chat.completions.create({ model, messages: question, tools })).choices[0]?.message
        : (await runner.finalChatCompletion()).choices[0]?.message
    const made = (message?.tool_calls ?? []).flatMap((call) => (call.type === 'function' ? [call] : []))
    expect(made.map(({ id, function: { name, arguments: text } }) => [id, name, JSON.parse(text)])).toEqual([
      ['call_time', 'get_time', {}],
      ['call_notes', 'read_notes', { topic: 'Wäsche' }],
    ])
    expect(message?.content).toBe('I look.')

    const results = made.map(({ id }) => ({ role: 'tool' as const, tool_call_id: id, content: `result of ${id}` }))
    const second = await client.chat.completions.create({
      model,
      messages: [...question, { role: 'assistant', content: message?.content ?? null, tool_calls: made }, ...results],
      tools,
    })
    expect(second.choices[0]?.message.content).toBe('Noon.')
    const history = requireCoherent(vendor().last())
    expect(history.flatMap((entry) => entry.results)).toEqual([
      { id: 'call_time', text: 'result of call_time' },
      { id: 'call_notes', text: 'result of call_notes' },
    ])
    expect(offeredTools(vendor().last())).toEqual(['get_time', 'read_notes'])
  })

  test('chooses tools', async () => {
    governed.answer({ text: 'ok' })
    await client.chat.completions.create({
      model,
      messages: question,
      tools,
      tool_choice: { type: 'function', function: { name: 'get_time' } },
    })
    const forced = upstream === 'openai' ? { type: 'function', function: { name: 'get_time' } } : { type: 'tool', name: 'get_time' }
    expect(vendor().last().body.tool_choice).toMatchObject(forced)
    await client.chat.completions.create({ model, messages: question, tools, tool_choice: 'required' })
    expect(vendor().last().body.tool_choice).toEqual(upstream === 'openai' ? 'required' : expect.objectContaining({ type: 'any' }))
    await client.chat.completions.create({ model, messages: question, tools, tool_choice: 'none' })
    expect(vendor().last().body.tool_choice).toEqual(upstream === 'openai' ? 'none' : expect.objectContaining({ type: 'none' }))
  })

  test('sends an image', async () => {
    const png = 'iVBORw0KGgoAAAANSUhEUgAAAAEAAAABCAYAAAAfFcSJAAAADUlEQVR42mNk+M9QDwADhgGAWjR9awAAAABJRU5ErkJggg=='
    governed.answer({ text: 'One pixel.' })
    const content: OpenAI.Chat.Completions.ChatCompletionContentPart[] = [
      { type: 'text', text: 'What is this?' },
      { type: 'image_url', image_url: { url: `data:image/png;base64,${png}` } },
    ]
    await client.chat.completions.create({ model, messages: [{ role: 'user', content }] })
    const sent = vendor().last().body.messages[0].content[1]
    if (upstream === 'openai') expect(sent).toEqual(content[1])
    else expect(sent).toMatchObject({ type: 'image', source: { type: 'base64', media_type: 'image/png', data: png } })
  })

  test('turns each failure into the error class the SDK has for it', async () => {
    const call = (apiKey: string, name: string = model) =>
      new OpenAI({ apiKey, baseURL: `${governed.url}/v1`, maxRetries: 0 }).chat.completions.create({ model: name, messages: question })
    await expect(call('tw_nobody')).rejects.toSatisfy(
      (error) => error instanceof OpenAI.AuthenticationError && error.code === 'auth.unknown_key',
    )
    await expect(call(secrets.alice, 'gpt-unheard-of')).rejects.toSatisfy(
      (error) => error instanceof OpenAI.NotFoundError && error.code === 'grant.model',
    )
    await expect(call(secrets.bob, 'claude-test')).rejects.toSatisfy(
      (error) => error instanceof OpenAI.NotFoundError && error.code === 'grant.model',
    )
    governed.respond((request) => vendorError(request, 400, 'messages: at least one is required'))
    await expect(call(secrets.alice)).rejects.toSatisfy(
      (error) => error instanceof OpenAI.BadRequestError && error.message.includes('at least one is required'),
    )
    governed.respond((request) => vendorError(request, 429, 'slow down'))
    await expect(call(secrets.alice)).rejects.toBeInstanceOf(OpenAI.RateLimitError)
  })

  test('an abort reaches the vendor', async () => {
    governed.respond((request) => ({
      headers: streamHeaders(request),
      parts: eventsOf(request, { text: 'A very long story' }).slice(0, 3),
      ends: 'never',
    }))
    const stream = await client.chat.completions.create({ model, messages: question, stream: true })
    for await (const chunk of stream) {
      expect(chunk.choices[0]?.delta.role).toBe('assistant')
      break
    }
    expect(await vendor().last().ended).toBe('left')
  })
})

test('the OpenAI SDK lists the models of its principal', async () => {
  const names = async (apiKey: string) =>
    (await new OpenAI({ apiKey, baseURL: `${governed.url}/v1` }).models.list()).data.map(({ id }) => id)
  expect(await names(secrets.alice)).toEqual(['gpt-test', 'claude-test'])
  expect(await names(secrets.bob)).toEqual(['gpt-test'])
  await expect(names('tw_nobody')).rejects.toBeInstanceOf(OpenAI.AuthenticationError)
})
