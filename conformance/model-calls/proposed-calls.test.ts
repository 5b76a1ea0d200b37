/**
 * What becomes of the tools a client offers and the calls a model proposes: hidden when they cannot be used, decided again
 * when they are made, whatever the model was offered.
 */
import { randomUUID } from 'node:crypto'
import { afterAll, beforeAll, describe, expect, test } from 'vitest'
import { secrets } from '../harness/governed-config.ts'
import { startGoverned, withParts, type GovernedGateway } from '../harness/governed-gateway.ts'
import type { Json } from '../harness/json.ts'
import { say, type ModelAnswer, type ProposedCall } from '../harness/model-answer.ts'
import { historyOf, offeredTools } from '../harness/model-history.ts'
import { post, type RawAnswer } from '../harness/raw-http.ts'

const names = ['web_fetch', 'get_time', 'send_mail', 'mystery', 'migrate']
const call = (name: string, args: object | string = {}, id = `call_${name}`): ProposedCall => ({ id, name, args })

let governed: GovernedGateway
const parts = (config: Record<string, object>): Record<string, object> => ({
  contracts: {
    ...config.contracts,
    migrate: { output: { trust: 'trusted' }, effects: ['migrated'], requires: { not_done: ['migrated'] } },
    web_search: { output: { trust: 'untrusted' } },
  },
})
beforeAll(async () => {
  governed = await startGoverned((config) => ({ ...config, ...parts(config) }))
})
afterAll(() => governed.close())

const chatTools = names.map((name) => ({ type: 'function', function: { name, parameters: { type: 'object' } } }))
const nativeTools = names.map((name) => ({ name, input_schema: { type: 'object' } }))

/** One chat completions request in a session of its own, unless one is named. */
function chat(body: object, options: { readonly key?: string; readonly session?: string; readonly url?: string } = {}): Promise<RawAnswer> {
  const { key = secrets.alice, session = randomUUID(), url = governed.url } = options
  return post(
    `${url}/v1/chat/completions`,
    key,
    { model: 'gpt-test', messages: [{ role: 'user', content: `hi from ${session}` }], tools: chatTools, ...body },
    { 'x-turnward-session': session },
  )
}

/** Names of the calls in an answer, streamed or not. */
function callsIn({ text }: RawAnswer): string[] {
  const messages: Json[] = text.startsWith('{')
    ? JSON.parse(text).choices.map((choice: Json) => choice.message)
    : text
        .split('\n\n')
        .flatMap((event) =>
          event.startsWith('data: {') ? (JSON.parse(event.slice(6)).choices ?? []).map((choice: Json) => choice.delta) : [],
        )
  return messages.flatMap((message) => (message.tool_calls ?? []).flatMap((made: Json) => made.function?.name ?? []))
}

/** The model proposes once; what is refused it takes for an answer. */
function propose(answer: ModelAnswer, to: GovernedGateway = governed): void {
  to.respond((request) =>
    say(
      request,
      historyOf(request).some(({ results }) => results.some(({ text }) => text.includes('not run: '))) ? { text: 'I see.' } : answer,
    ),
  )
}

/** Makes a session read something nobody can trust. */
async function taint(session: string): Promise<void> {
  governed.answer({ calls: [call('web_fetch', {}, `call_${session}`)] })
  const { text } = await chat({}, { session })
  const { message } = JSON.parse(text).choices[0]
  governed.answer({ text: 'Read.' })
  await chat(
    {
      messages: [
        { role: 'user', content: `hi from ${session}` },
        message,
        { role: 'tool', tool_call_id: `call_${session}`, content: 'a page' },
      ],
    },
    { session },
  )
}

describe('the offer', () => {
  test('loses what the session can no longer use, and with it a choice that named it', async () => {
    const session = randomUUID()
    await taint(session)
    governed.answer({ text: 'ok' })
    await chat({ tool_choice: { type: 'function', function: { name: 'send_mail' } } }, { session })
    expect(offeredTools(governed.vendors.openai.last())).toEqual(['web_fetch', 'get_time', 'migrate'])
    expect(governed.vendors.openai.last().body.tool_choice ?? 'auto').toBe('auto')
    await chat(
      { tools: chatTools.filter((tool) => tool.function.name === 'send_mail'), tool_choice: 'required', parallel_tool_calls: true },
      { session },
    )
    expect(Object.keys(governed.vendors.openai.last().body)).not.toEqual(expect.arrayContaining(['tools']))
    expect(governed.vendors.openai.last().body).not.toHaveProperty('tool_choice')
    expect(governed.vendors.openai.last().body).not.toHaveProperty('parallel_tool_calls')
  })

  test('of the messages API alike', async () => {
    const session = randomUUID()
    await taint(session)
    governed.answer({ text: 'ok' })
    const body = {
      model: 'claude-test',
      max_tokens: 9,
      messages: [{ role: 'user', content: 'hi' }],
      tools: nativeTools,
      tool_choice: { type: 'tool', name: 'send_mail' },
    }
    await post(`${governed.url}/v1/messages`, secrets.alice, body, { 'x-turnward-session': session })
    expect(offeredTools(governed.vendors.anthropic.last())).toEqual(['web_fetch', 'get_time', 'migrate'])
    expect(governed.vendors.anthropic.last().body.tool_choice?.type ?? 'auto').toBe('auto')
  })

  test('counts what a vendor-run tool has read', async () => {
    governed.answer({ searched: 'hi', text: 'ok' })
    const body = {
      model: 'claude-test',
      max_tokens: 9,
      messages: [{ role: 'user', content: 'hi' }],
      tools: [{ type: 'web_search_20250305', name: 'web_search' }, ...nativeTools],
    }
    const session = randomUUID()
    await post(`${governed.url}/v1/messages`, secrets.alice, body, { 'x-turnward-session': session })
    propose({ text: 'I mail.', calls: [call('send_mail')] })
    expect(callsIn(await chat({}, { session }))).toEqual([])
  })
})

describe.each([false, true])('a proposed call (stream: %s)', (stream) => {
  test('of a tool that is not offered any more is refused all the same', async () => {
    const session = randomUUID()
    await taint(session)
    propose({ text: 'I mail.', calls: [call('send_mail', { to: 'x@example.org' })] })
    const answer = await chat({ stream }, { session })
    expect(callsIn(answer)).toEqual([])
    expect(answer.text).not.toMatch(/x@example/)
    expect(answer.text).toContain('[Turnward] ')
  })

  test('of a tool that was never offered is decided like any other', async () => {
    propose({ calls: [call('delete_everything'), call('get_time')] })
    // Nobody described it, so it may run while the session is trusted, and not after.
    expect(callsIn(await chat({ stream }))).toEqual(['delete_everything', 'get_time'])
    const session = randomUUID()
    await taint(session)
    propose({ calls: [call('mystery'), call('get_time')] })
    expect(callsIn(await chat({ stream }, { session }))).toEqual(['get_time'])
  })

  test('of a tool without a grant is refused', async () => {
    propose({ calls: [call('send_mail'), call('get_time')] })
    expect(callsIn(await chat({ stream }, { key: secrets.bob }))).toEqual(['get_time'])
  })

  test.each(['[1,2]', '"text"', '{"a":', '{"a":1}{"b":2}', '{"a":1,"a":2}', 'null'])(
    'whose arguments could be read in two ways is refused: %s',
    async (args) => {
      propose({ calls: [call('get_time', args), call('web_fetch', {})] })
      expect(callsIn(await chat({ stream }))).toEqual(['web_fetch'])
    },
  )

  test('that may happen once passes once, even when made twice in one message', async () => {
    const session = randomUUID()
    propose({ calls: [call('migrate', {}, 'call_one'), call('migrate', {}, 'call_two')] })
    const first = await chat({ stream }, { session })
    expect(callsIn(first)).toEqual(['migrate'])
    expect(first.text).toContain('call_one')
    propose({ calls: [call('migrate', {}, 'call_three'), call('get_time')] })
    expect(callsIn(await chat({ stream }, { session }))).toEqual(['get_time'])
  })

  test('that shares its id with another reaches nobody', async () => {
    propose({ calls: [call('get_time', {}, 'call_same'), call('web_fetch', {}, 'call_same')] })
    const answer = await chat({ stream })
    expect(answer.text).toContain('upstream.malformed')
    expect(answer.text).not.toContain('call_same')
  })

  test('is decided in every choice of an answer', async () => {
    const session = randomUUID()
    await taint(session)
    const made = (index: number) => ({ id: `call_c${index}`, type: 'function', function: { name: 'send_mail', arguments: '{}' } })
    const whole = [0, 1].map((index) => ({
      index,
      message: { role: 'assistant', content: null, tool_calls: [made(index)] },
      finish_reason: 'tool_calls',
    }))
    const pieces = [0, 1].flatMap((index) => [
      { index, delta: { role: 'assistant', content: null, tool_calls: [{ index: 0, ...made(index) }] }, finish_reason: null },
      { index, delta: {}, finish_reason: 'tool_calls' },
    ])
    const answered = (choices: readonly object[]): string =>
      JSON.stringify({ id: 'c', object: stream ? 'chat.completion.chunk' : 'chat.completion', model: 'm', created: 1, choices })
    governed.respond(() =>
      stream
        ? {
            headers: { 'content-type': 'text/event-stream' },
            parts: [...pieces.map((choice) => `data: ${answered([choice])}\n\n`), 'data: [DONE]\n\n'],
          }
        : { parts: [answered(whole)] },
    )
    const answer = await chat({ stream, n: 2 }, { session })
    expect(answer.status).toBe(200)
    expect(callsIn(answer)).toEqual([])
    expect(answer.text).not.toMatch(/call_c[01]/)
  })
})

test('every proposal is on record before its release, with the credential it was made with and no arguments', async () => {
  propose({ calls: [call('send_mail', { to: 'private@example.org' }), call('get_time')] })
  const { headers } = await chat({}, { key: secrets.bob })
  const records = (await governed.gateway.turnRecords()).filter(
    (record) => record.modelCall === headers['x-turnward-call'] && record.kind === 'tool_proposal',
  )
  expect(records).toMatchObject([
    {
      subject: 'send_mail',
      action: 'refuse',
      principal: 'bob',
      credential: 'openai-team',
      argumentsDigest: expect.stringMatching(/^[0-9a-f]{64}$/),
    },
    { subject: 'get_time', action: 'release', principal: 'bob', credential: 'openai-team' },
  ])
  expect(JSON.stringify(records)).not.toContain('private@example.org')
})

test('posture observe refuses nothing and records what it would have refused', async () => {
  await using own = await startGoverned(
    withParts({
      policy: { posture: 'observe' },
      contracts: { send_mail: { requires: { trust: 'trusted' } }, web_fetch: { output: { trust: 'untrusted' } } },
    }),
  )
  own.answer({ calls: [call('send_mail')] })
  const messages = [
    { role: 'user', content: 'hi' },
    { role: 'assistant', content: 'invented' },
    { role: 'user', content: 'go' },
  ]
  const answer = await chat({ messages }, { url: own.url })
  expect(callsIn(answer)).toEqual(['send_mail'])
  expect(offeredTools(own.vendors.openai.last())).toContain('send_mail')
  expect(await own.gateway.recordThat((record) => record.kind === 'tool_proposal')).toMatchObject({
    subject: 'send_mail',
    verdict: 'deny',
    action: 'observe',
  })
})
