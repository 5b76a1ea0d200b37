/** What the other dialect has no form for is left out, and said: in a header and on the decision; nothing of it disappears without a word. */
import { randomUUID } from 'node:crypto'
import { afterAll, beforeAll, expect, test } from 'vitest'
import { secrets } from '../harness/governed-config.ts'
import { startGoverned, type GovernedGateway } from '../harness/governed-gateway.ts'
import { say } from '../harness/model-answer.ts'
import { post } from '../harness/raw-http.ts'

let governed: GovernedGateway
beforeAll(async () => {
  governed = await startGoverned()
  governed.respond((request) => say(request, { text: 'Hello.' }))
})
afterAll(() => governed?.close())

const chat = (fields: object) =>
  post(`${governed.url}/v1/chat/completions`, secrets.alice, {
    model: 'claude-test',
    messages: [{ role: 'user', content: 'hi' }],
    ...fields,
  })

test('hints are named, the ones that were kept are not, and no name of a field gets into a header that could not', async () => {
  const answer = await chat({
    seed: 7,
    presence_penalty: 0.5,
    temperature: 0.5,
    user: 'u',
    'x\r\nset-cookie: a': 1,
    store: null,
    stream: false,
  })
  expect(answer.status).toBe(200)
  expect(answer.headers['x-turnward-warnings']).toBe('left out for messages: presence_penalty, seed')
  const decision = await governed.gateway.recordThat(
    (one) => one.kind === 'model_call' && one.type === 'decision' && one.modelCall === answer.headers['x-turnward-call'],
  )
  expect(decision).toMatchObject({ leftOut: ['presence_penalty', 'seed'] })
  expect(governed.vendors.anthropic.last().body).not.toHaveProperty('seed')
})

test('a stream says it as well, and nothing is said where nothing was left out', async () => {
  expect((await chat({ stream: true, seed: 7 })).headers['x-turnward-warnings']).toBe('left out for messages: seed')
  expect((await chat({})).headers).not.toHaveProperty('x-turnward-warnings')
  const same = await post(`${governed.url}/v1/messages`, secrets.alice, {
    model: 'claude-test',
    max_tokens: 9,
    messages: [{ role: 'user', content: 'hi' }],
    top_k: 3,
  })
  expect(same.headers).not.toHaveProperty('x-turnward-warnings')
})

test('in the other direction likewise', async () => {
  const answer = await post(`${governed.url}/v1/messages`, secrets.alice, {
    model: 'gpt-test',
    max_tokens: 9,
    messages: [{ role: 'user', content: 'hi' }],
    service_tier: 'auto',
    metadata: { user_id: 'u' },
    top_k: 3,
  })
  expect([answer.status, answer.headers['x-turnward-warnings']]).toEqual([200, 'left out for chat-completions: service_tier, top_k'])
})

const lookUp = (tools: object[], key: string = randomUUID()) =>
  post(
    `${governed.url}/v1/messages`,
    secrets.alice,
    { model: 'gpt-test', max_tokens: 9, messages: [{ role: 'user', content: 'hi' }], tools },
    { 'x-turnward-session': key },
  )
const search = { type: 'web_search_20250305', name: 'web_search' }
const mail = { name: 'send_mail', input_schema: { type: 'object', properties: {} } }

test('a tool that only the vendor of the dialect runs is left out beside others, is told, and has read nothing', async () => {
  governed.respond((request) => say(request, { text: 'I mail.', calls: [{ id: 'call_mail', name: 'send_mail', args: {} }] }))
  const answer = await lookUp([search, mail])
  expect(answer.headers['x-turnward-warnings']).toBe('left out for chat-completions: tools.web_search_20250305')
  expect(governed.vendors.openai.last().body.tools).toMatchObject([{ function: { name: 'send_mail' } }])
  // It needs a trusted session, which what the search finds would end.
  expect(answer.text).toContain('call_mail')
})

test('one that is all a request offers is refused by name: nobody could do what is asked', async () => {
  const answer = await lookUp([search])
  expect([answer.status, answer.text]).toEqual([400, expect.stringContaining('web_search_20250305')])
})
