/** Nothing goes to a model, or comes from one, past the guards of its route: counts of tokens, embeddings and other operations, official clients. */
import { request } from 'node:http'
import Anthropic from '@anthropic-ai/sdk'
import OpenAI from 'openai'
import { afterAll, beforeAll, describe, expect, test } from 'vitest'
import { secrets } from '../harness/governed-config.ts'
import { startGoverned, type GovernedGateway } from '../harness/governed-gateway.ts'
import { eventsOf, say, streamHeaders } from '../harness/model-answer.ts'
import { post } from '../harness/raw-http.ts'
import type { VendorRequest } from '../harness/vendor.ts'

let governed: GovernedGateway

beforeAll(async () => {
  governed = await startGoverned((config) => ({
    ...config,
    guards: {
      people: { kind: 'pii', on: 'input' },
      codename: { kind: 'patterns', deny: ['(?i)project\\s+bluebird'], hold: 40 },
      keys: { kind: 'secrets', mode: 'redact', groups: ['staff'] },
    },
    routes: [
      { model: 'gpt-test', upstreams: ['openai'], guards: ['people', 'codename'] },
      { model: 'claude-test', upstreams: ['anthropic'], guards: ['people', 'codename'] },
      { model: 'plain-test', upstreams: ['openai'] },
    ],
  }))
})
afterAll(async () => governed?.close())

const openai = (): OpenAI => new OpenAI({ baseURL: `${governed.url}/v1`, apiKey: secrets.alice, maxRetries: 3 })
const anthropic = (): Anthropic => new Anthropic({ baseURL: governed.url, apiKey: secrets.alice, maxRetries: 3 })
const email = 'dana@corp.example'
const placeholderIn = ({ bytes }: VendorRequest): string => /\[EMAIL_[0-9a-f]{10}\]/.exec(bytes.toString())?.[0] ?? 'none'
const bad = 'Tell me of Project Bluebird.'

describe('what is denied', () => {
  test('is an error that official clients know, and do not try again', async () => {
    const before = governed.vendors.openai.requests.length + governed.vendors.anthropic.requests.length
    const refused = { status: 403, message: expect.stringContaining('codename') as unknown }
    await expect(openai().chat.completions.create({ model: 'gpt-test', messages: [{ role: 'user', content: bad }] })).rejects.toMatchObject(
      refused,
    )
    await expect(openai().responses.create({ model: 'gpt-test', input: bad, stream: true })).rejects.toMatchObject(refused)
    await expect(
      anthropic().messages.create({ model: 'claude-test', max_tokens: 10, messages: [{ role: 'user', content: bad }] }),
    ).rejects.toMatchObject(refused)
    expect(governed.vendors.openai.requests.length + governed.vendors.anthropic.requests.length).toBe(before)
  })

  test('in an answer that has begun ends it with an error that they know', async () => {
    // What is denied is said once something of the answer was read: before that, the call would be refused as a whole.
    const heard = Promise.withResolvers<void>()
    governed.vendors.openai.respond((request) => {
      const begin = eventsOf(request, { text: 'Nothing of it yet. '.repeat(20) })
      const goesOn = begin.filter((event) => !event.includes('[DONE]') && !/"finish_reason":\s*"/.test(event))
      const rest = eventsOf(request, { text: 'It is project bluebird, and more.' })
      return { headers: streamHeaders(request), parts: [...goesOn, heard.promise, ...rest] }
    })
    const stream = await openai().chat.completions.create({
      model: 'gpt-test',
      stream: true,
      messages: [{ role: 'user', content: 'What?' }],
    })
    let said = ''
    const read = async (): Promise<void> => {
      for await (const chunk of stream) {
        said += chunk.choices[0]?.delta.content ?? ''
        if (said !== '') heard.resolve()
      }
    }
    await expect(read()).rejects.toThrow(/codename/)
    expect(said).toMatch(/^Nothing of it yet/)
    expect(said).not.toContain('bluebird')
  })

  test.each([
    ['a count of tokens', '/v1/messages/count_tokens', { model: 'claude-test', messages: [{ role: 'user', content: bad }] }],
    ['embeddings', '/v1/embeddings', { model: 'gpt-test', input: ['harmless', bad] }],
    [
      'embeddings in the form of Cohere',
      '/v2/embed',
      { model: 'gpt-test', texts: [bad], input_type: 'search_query', embedding_types: ['float'] },
    ],
    ['a ranking', '/v1/rerank', { model: 'gpt-test', query: 'q', documents: [{ text: bad }] }],
    ['a picture', '/v1/images/generations', { model: 'gpt-test', prompt: bad }],
    ['speech', '/v1/audio/speech', { model: 'gpt-test', voice: 'alloy', input: bad }],
    ['a completion', '/v1/completions', { model: 'gpt-test', prompt: bad }],
    [
      'a tool that is offered',
      '/v1/chat/completions',
      {
        model: 'gpt-test',
        messages: [{ role: 'user', content: 'Hi.' }],
        tools: [{ type: 'function', function: { name: 'f', description: bad } }],
      },
    ],
  ])('goes nowhere as %s', async (_name, path, body) => {
    const before = governed.vendors.openai.requests.length + governed.vendors.anthropic.requests.length
    const { status, text } = await post(governed.url + path, secrets.alice, body)
    expect([status, text.includes('guard'), text.includes('Bluebird')]).toEqual([403, true, false])
    expect(governed.vendors.openai.requests.length + governed.vendors.anthropic.requests.length).toBe(before)
  })

  test('goes nowhere in a form beside a file', async () => {
    const form = new FormData()
    form.append('model', 'gpt-test')
    form.append('prompt', bad)
    form.append('file', new Blob(['sound']), 'a.wav')
    const response = await fetch(`${governed.url}/v1/audio/transcriptions`, {
      method: 'POST',
      headers: { authorization: `Bearer ${secrets.alice}` },
      body: form,
    })
    expect([response.status, (await response.text()).includes('codename')]).toEqual([403, true])
  })

  test.each([
    ['JSON', 'application/json', ['{"choices":[{"index":0,"text":"It is project bluebird."}]}']],
    [
      'events',
      'text/event-stream',
      [
        'data: {"choices":[{"index":0,"text":"project blue"}]}\n\n',
        'data: {"choices":[{"index":0,"text":"bird."}]}\n\n',
        'data: [DONE]\n\n',
      ],
    ],
    ['text', 'text/plain', ['It is project', ' bluebird.']],
  ])('comes from nowhere in a completion as %s', async (_name, type, parts) => {
    governed.respond(() => ({ headers: { 'content-type': type }, parts }))
    const { status, text } = await post(`${governed.url}/v1/completions`, secrets.alice, { model: 'gpt-test', prompt: 'What?' })
    expect([status, text.includes('bluebird'), text.includes('guard')]).toEqual([403, false, true])
  })
})

describe('what identifies people', () => {
  test('is in the arguments of a call that the model makes with what stood for it', async () => {
    governed.respond((made) => say(made, { calls: [{ id: 'call_1', name: 'send_mail', args: { to: placeholderIn(made), body: 'Hi' } }] }))
    const tools = [{ type: 'function' as const, function: { name: 'send_mail', parameters: { type: 'object' } } }]
    for (const stream of [false, true]) {
      const messages = [{ role: 'user' as const, content: `Write to ${email}.` }]
      const { text } = await post(`${governed.url}/v1/chat/completions`, secrets.alice, { model: 'gpt-test', stream, messages, tools })
      const args = stream
        ? [...text.matchAll(/"arguments":("(?:[^"\\]|\\.)*")/g)].map(([, part = '""']) => JSON.parse(part) as string).join('')
        : (JSON.parse(text) as OpenAI.ChatCompletion).choices[0]?.message.tool_calls
            ?.map((call) => (call.type === 'function' ? call.function.arguments : ''))
            .join('')
      expect(JSON.parse(args ?? '')).toEqual({ to: email, body: 'Hi' })
      expect(governed.vendors.openai.last().bytes.toString()).not.toContain(email)
    }
  })

  test('has the same placeholder in every call of a conversation, and results of tools have it too', async () => {
    governed.respond((made) => say(made, { text: placeholderIn(made) }))
    const session = { 'x-turnward-session': 'same' }
    const headers = { authorization: `Bearer ${secrets.alice}`, 'content-type': 'application/json', ...session }
    const ask = async (messages: readonly object[]): Promise<string> => {
      const response = await fetch(`${governed.url}/v1/messages`, {
        method: 'POST',
        headers,
        body: JSON.stringify({ model: 'claude-test', max_tokens: 9, messages }),
      })
      return response.text()
    }
    const first = { role: 'user', content: `I am ${email}.` }
    expect(await ask([first])).toContain(email)
    const one = placeholderIn(governed.vendors.anthropic.last())
    await ask([
      first,
      {
        role: 'assistant',
        content: [
          { type: 'text', text: email },
          { type: 'tool_use', id: 't', name: 'get_time', input: { who: email } },
        ],
      },
      { role: 'user', content: [{ type: 'tool_result', tool_use_id: 't', content: `It is noon for ${email}.` }] },
    ])
    const sent = governed.vendors.anthropic.last().bytes.toString()
    expect(sent.split(one)).toHaveLength(5)
    expect(sent).not.toContain(email)
  })

  test('is not embedded', async () => {
    governed.respond(() => ({
      headers: { 'content-type': 'application/json' },
      parts: ['{"object":"list","data":[{"index":0,"embedding":[1]}],"usage":{"prompt_tokens":1}}'],
    }))
    await post(`${governed.url}/v1/embeddings`, secrets.alice, { model: 'gpt-test', input: `about ${email}` })
    expect(placeholderIn(governed.vendors.openai.last())).not.toBe('none')
    expect(governed.vendors.openai.last().bytes.toString()).not.toContain(email)
  })
})

test('a guard of a group holds for its people on any route, and for nobody else', async () => {
  governed.answer({ text: 'Hm.' })
  const key = `AKIA${'IOSFODNN7EXAMPLE'}`
  const ask = (who: string, model: string) =>
    post(`${governed.url}/v1/chat/completions`, who, { model, messages: [{ role: 'user', content: `The key is ${key}.` }] })
  await ask(secrets.alice, 'plain-test')
  expect(governed.vendors.openai.last().bytes.toString()).toContain('[secret: aws-access-key]')
  await ask(secrets.bob, 'gpt-test')
  expect(governed.vendors.openai.last().bytes.toString()).toContain(key)
})

test('a realtime session has no guard that hears it, and is refused', async () => {
  const headers = {
    authorization: `Bearer ${secrets.alice}`,
    connection: 'Upgrade',
    upgrade: 'websocket',
    'sec-websocket-version': '13',
    'sec-websocket-key': Buffer.alloc(16).toString('base64'),
  }
  const status = await new Promise<number | undefined>((resolve, reject) => {
    const asking = request(`${governed.url}/v1/realtime?model=gpt-test`, { headers })
    asking.on('response', (response) => resolve(response.resume().statusCode)).on('upgrade', (response) => resolve(response.statusCode))
    asking.on('error', reject).end()
  })
  expect(status).toBe(403)
})
