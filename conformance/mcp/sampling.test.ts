/**
 * What servers ask a model for, answered by a model of the gateway: on behalf of whoever made the request, with their grants,
 * within the turn, on record. Real servers of both eras, the official client in every mode, a vendor on a socket.
 */
import type { Client } from '@modelcontextprotocol/client'
import { afterAll, beforeAll, beforeEach, describe, expect, test } from 'vitest'
import { secrets } from '../harness/governed-config.ts'
import { startGoverned, type GovernedGateway } from '../harness/governed-gateway.ts'
import { say } from '../harness/model-answer.ts'
import { readRecords } from '../harness/records.ts'
import { connectClient, modes, textOf } from './official-client.ts'
import { startSamplingServer } from './sampling-server.ts'
import { installed, serversReady, type HttpUpstream } from './upstream-servers.ts'

let governed: GovernedGateway
let server: HttpUpstream

beforeAll(async () => {
  server = await startSamplingServer()
  const every = { transport: 'stdio', command: ['node', installed('@modelcontextprotocol/server-everything/dist/index.js')] }
  const sampling = { model: 'claude-test', max_tokens: 500, max_calls: 3 }
  governed = await startGoverned((config) => ({
    ...config,
    servers: { every: { ...every, sampling }, summaries: { transport: 'http', url: server.url, sampling } },
    gateways: { main: { servers: ['every', 'summaries'] } },
    grants: [
      ...(config['grants'] as unknown as object[]),
      { principals: ['bob'], gateways: ['main'], tools: ['every__*', 'summaries__*'] },
    ],
    contracts: {
      ...config['contracts'],
      'every__*': { output: { trust: 'untrusted' } },
      'summaries__*': { output: { trust: 'untrusted' } },
    },
  }))
  await serversReady(governed.url)
})
afterAll(async () => {
  await governed?.close()
  await server?.[Symbol.asyncDispose]()
})
beforeEach(() => governed.answer({ text: 'Words of the model.' }))

const asked = (): number => governed.vendors.anthropic.requests.length

async function called(
  key: string,
  name: string,
  args: Record<string, unknown>,
  options: Parameters<typeof connectClient>[2] = {},
): Promise<string> {
  const client = await connectClient(governed.url, key, options)
  const result = await client.callTool({ name, arguments: args })
  await client.close()
  return textOf(result)
}

describe.each(modes)('a client in %s mode that offers no model', (_name, mode) => {
  test.each([
    ['every__trigger-sampling-request', { prompt: 'Write a poem', maxTokens: 20 }],
    ['summaries__rounds', { times: 3 }],
  ])('gets the result of %s', async (name, args) => {
    expect(await called(secrets.alice, name, args, { mode })).toContain('Words of the model.')
  })

  test('is asked what only it can answer, once, and the model what only the model can', async () => {
    const before = asked()
    const questions: string[] = []
    const prepare = (client: Client): void =>
      client.setRequestHandler('elicitation/create', async ({ params }) => {
        questions.push(params.message)
        return { action: 'accept' as const, content: { confirm: true } }
      })
    const text = await called(secrets.alice, 'summaries__both', {}, { mode, prepare, capabilities: { elicitation: { form: {} } } })
    expect(text).toBe('Words of the model. (true)')
    expect(questions).toEqual(['Use the model?'])
    expect(asked() - before).toBe(1)
    // No more than the configuration lets a server ask for.
    expect(governed.vendors.anthropic.last().body).toMatchObject({ max_tokens: 500, model: 'claude-test' })
  })
})

test('the model sees what the server asks, and no credential or word of the conversation', async () => {
  await called(secrets.alice, 'every__trigger-sampling-request', { prompt: 'Write about the sea', maxTokens: 20 })
  const { body, headers } = governed.vendors.anthropic.last()
  expect(JSON.stringify(body)).toContain('Write about the sea')
  expect(body).toMatchObject({ max_tokens: 20 })
  expect(body['tools']).toBeUndefined()
  expect(headers['x-api-key']).toBe(secrets.anthropic)
})

test('it is a model call on behalf of the caller, in the turn and under the label of the request, and each round is decided', async () => {
  await called(secrets.alice, 'summaries__rounds', { times: 1 })
  const records = (await readRecords(governed.gateway.cli)).slice(-6)
  expect(records.map(({ kind, type, outcome }) => [kind, type, outcome])).toEqual([
    ['tool_call', 'decision', undefined],
    ['tool_call', 'outcome', 'asked'],
    ['model_call', 'decision', undefined],
    ['model_call', 'outcome', 'ok'],
    ['tool_call', 'decision', undefined],
    ['tool_call', 'outcome', 'ok'],
  ])
  const [decision, , model] = records
  expect(model).toMatchObject({
    principal: 'alice',
    subject: 'claude-test',
    turn: decision?.turn,
    askedBy: { server: 'summaries', decision: decision?.id },
    // The server's words are its prompt.
    labelBefore: { trust: 'untrusted' },
    credential: 'anthropic-team',
  })
  expect(model?.session).not.toBe(decision?.session)
})

test('a caller without a grant for the model gets no model, and the server is told no more than that', async () => {
  const before = asked()
  expect(await called(secrets.bob, 'summaries__rounds', { times: 1 })).toContain('no model answered (grant.model)')
  expect(await called(secrets.bob, 'every__trigger-sampling-request', { prompt: 'Write a poem', maxTokens: 20 })).toContain('grant.model')
  expect(asked()).toBe(before)
})

test('a server asks so often within one request, and no more', async () => {
  const before = asked()
  expect(await called(secrets.alice, 'summaries__rounds', { times: 10 })).toContain('no more than 3 times')
  expect(asked() - before).toBe(3)
})

test('a model that fails ends the request with the reason', async () => {
  governed.respond(() => ({
    status: 400,
    headers: { 'content-type': 'application/json' },
    parts: ['{"type":"error","error":{"type":"invalid_request_error","message":"secret words of the vendor"}}'],
  }))
  const text = await called(secrets.alice, 'summaries__rounds', { times: 1 })
  expect(text).toContain('no model answered')
  expect(text).not.toContain('secret words')
})

test('a client that leaves ends the model call too', async () => {
  const { promise: held, resolve: release } = Promise.withResolvers<void>()
  const before = asked()
  governed.respond((request) => ({ ...say(request, { text: 'late' }), parts: [held] }))
  const client = await connectClient(governed.url, secrets.alice)
  const leaving = new AbortController()
  const call = client.callTool({ name: 'summaries__rounds', arguments: { times: 1 } }, { signal: leaving.signal }).catch(() => 'left')
  await governed.vendors.anthropic.received(before + 1)
  leaving.abort()
  expect(await call).toBe('left')
  expect(await governed.vendors.anthropic.last().ended).toBe('left')
  release()
  await client.close()
})
