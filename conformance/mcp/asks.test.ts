/**
 * What servers ask of the client while they work, through the endpoint: words of a person, a model, folders. Clients of both
 * eras, servers of both eras and transports, each pair; the MCP project's own client, and real servers.
 */
import type { Client } from '@modelcontextprotocol/client'
import { afterAll, beforeAll, describe, expect, test } from 'vitest'
import { startGateway, type RunningGateway } from '../harness/gateway-process.ts'
import type { Json } from '../harness/json.ts'
import { readRecords } from '../harness/records.ts'
import { ada, bob } from './mixed-fleet.ts'
import { connectClient, modes, textOf, type ConnectOptions } from './official-client.ts'
import { installed, serversReady, startEverything, startModern, type HttpUpstream } from './upstream-servers.ts'

let gateway: RunningGateway
let everything: HttpUpstream
let modern: HttpUpstream

beforeAll(async () => {
  everything = await startEverything()
  modern = await startModern()
  const every = { transport: 'stdio', command: ['node', installed('@modelcontextprotocol/server-everything/dist/index.js')] }
  gateway = await startGateway({
    config: {
      principals: { ada: {}, bob: {} },
      keys: { ada: { principal: 'ada', secret: ada }, bob: { principal: 'bob', secret: bob } },
      grants: [{ principals: ['ada', 'bob'], gateways: ['main'], tools: ['*'] }],
      servers: {
        every,
        everyhttp: { transport: 'http', url: everything.url },
        modern: { transport: 'http', url: modern.url },
        silent: { ...every, may_ask: ['roots'] },
      },
      gateways: { main: { servers: ['every', 'everyhttp', 'modern', 'silent'] } },
      contracts: { '*': { output: { trust: 'trusted' } } },
    },
  })
  await serversReady(gateway.url)
})
afterAll(async () => {
  await gateway?.stop()
  await everything?.[Symbol.asyncDispose]()
  await modern?.[Symbol.asyncDispose]()
})

const capabilities = { elicitation: { form: {} }, sampling: {}, roots: {} }

/** What clients are asked, in order. Folders are left out: a server asks for them once, soon after it is connected, whatever runs then. */
interface Asked {
  readonly asked: { readonly method: string; readonly params: unknown }[]
  readonly options: Pick<ConnectOptions, 'capabilities' | 'prepare'>
}

function answering(content: Record<string, string | number | boolean>, action: 'accept' | 'decline' = 'accept'): Asked {
  const asked: Asked['asked'] = []
  const prepare = (client: Client): void => {
    client.setRequestHandler('elicitation/create', async ({ method, params }) => {
      asked.push({ method, params })
      return action === 'accept' ? { action, content } : { action }
    })
    client.setRequestHandler('sampling/createMessage', async ({ method, params }) => {
      asked.push({ method, params })
      return { role: 'assistant' as const, model: 'test-model', content: { type: 'text' as const, text: 'A poem.' }, stopReason: 'endTurn' }
    })
    client.setRequestHandler('roots/list', async () => ({ roots: [{ uri: 'file:///home/ada/work', name: 'work' }] }))
  }
  return { asked, options: { capabilities, prepare } }
}

describe.each(modes)('the official client in %s mode', (_name, mode) => {
  test.each(['every', 'everyhttp'])('is asked by %s for the words of a person', async (server) => {
    const { asked, options } = answering({ name: 'Ada', check: true })
    const client = await connectClient(gateway.url, ada, { mode, ...options })
    const result = await client.callTool({ name: `${server}__trigger-elicitation-request`, arguments: {} })
    expect(asked.map(({ method }) => method)).toEqual(['elicitation/create'])
    expect(asked[0]?.params).toMatchObject({ message: expect.stringContaining('provide'), requestedSchema: { type: 'object' } })
    expect(textOf(result)).toContain('Ada')
    await client.close()
  })

  test.each(['every', 'everyhttp'])('is asked by %s for its model, and for its folders', async (server) => {
    const { asked, options } = answering({})
    const client = await connectClient(gateway.url, ada, { mode, ...options })
    const sampled = await client.callTool({
      name: `${server}__trigger-sampling-request`,
      arguments: { prompt: 'Write a poem', maxTokens: 20 },
    })
    expect(textOf(sampled)).toContain('A poem.')
    expect(asked.map(({ method }) => method)).toEqual(['sampling/createMessage'])
    expect(JSON.stringify(asked[0]?.params)).toContain('Write a poem')
    await client.close()
  })

  test('is asked by a modern server, which sees its own state again', async () => {
    const { asked, options } = answering({ confirm: true })
    const client = await connectClient(gateway.url, ada, { mode, ...options })
    const result = await client.callTool({ name: 'modern__deploy', arguments: { env: 'production' } })
    expect(asked.map(({ method, params }) => [method, (params as { message: string }).message])).toEqual([
      ['elicitation/create', 'Deploy to production?'],
    ])
    expect(textOf(result)).toBe('deployed to production (deploy production)')
    await client.close()
  })

  test('may decline', async () => {
    const { asked, options } = answering({}, 'decline')
    const client = await connectClient(gateway.url, ada, { mode, ...options })
    const result = await client.callTool({ name: 'every__trigger-elicitation-request', arguments: {} })
    expect(asked).toHaveLength(1)
    expect(textOf(result)).toMatch(/declin/i)
    await client.close()
  })

  test('that offers nothing is asked nothing', async () => {
    const client = await connectClient(gateway.url, ada, { mode })
    const legacy = await client.callTool({ name: 'every__trigger-elicitation-request', arguments: {} }).catch((error: unknown) => error)
    expect(JSON.stringify(legacy instanceof Error ? legacy.message : legacy)).toMatch(/does not offer|not support|error/i)
    const called = await client.callTool({ name: 'modern__deploy', arguments: { env: 'production' } }).catch((error: unknown) => error)
    expect(called).toMatchObject({ code: -32021, data: { requiredCapabilities: { elicitation: { form: {} } } } })
    await client.close()
  })

  test('is asked only what the configuration lets a server ask', async () => {
    const { asked, options } = answering({ name: 'Ada' })
    const client = await connectClient(gateway.url, ada, { mode, ...options })
    const names = (await client.listTools()).tools.map(({ name }) => name)
    expect(names).toContain('every__trigger-elicitation-request')
    // The server is not told that anybody could be asked, so it offers no such tool.
    expect(names.filter((name) => /^silent__trigger-(elicitation|sampling)-request$/.test(name))).toEqual([])
    expect(asked).toEqual([])
    await client.close()
  })
})

test('twenty people are asked at once, and each gets the answer to what was asked of them', async () => {
  const people = Array.from({ length: 20 }, (_, number) => `person-${number}`)
  const texts = await Promise.all(
    people.map(async (name, number) => {
      const { options } = answering({ name })
      const client = await connectClient(gateway.url, number % 2 === 0 ? ada : bob, {
        ...(number % 3 === 0 ? { mode: 'legacy' } : {}),
        ...options,
      })
      const result = await client.callTool({ name: 'everyhttp__trigger-elicitation-request', arguments: {} })
      await client.close()
      return textOf(result)
    }),
  )
  for (const [number, name] of people.entries()) {
    expect(texts[number]).toContain(name)
    for (const other of people) if (other !== name && !name.startsWith(other)) expect(texts[number]).not.toContain(`${other}\n`)
  }
})

test('each round is decided and on record, and the call is the same one', async () => {
  const { options } = answering({ confirm: true })
  const client = await connectClient(gateway.url, ada, options)
  await client.callTool({ name: 'modern__deploy', arguments: { env: 'records' } })
  await client.close()
  const own = (await readRecords(gateway.cli)).filter(({ subject }) => subject === 'modern__deploy').slice(-4)
  expect(own.map(({ type, outcome }) => [type, outcome])).toEqual([
    ['decision', undefined],
    ['outcome', 'asked'],
    ['decision', undefined],
    ['outcome', 'ok'],
  ])
  expect(new Set(own.map(({ toolCallId }) => toolCallId)).size).toBe(1)
  expect(new Set(own.map(({ turn }) => turn)).size).toBe(1)
})

describe('what a client brings back', () => {
  const meta = (offers: object): object => ({
    'io.modelcontextprotocol/protocolVersion': '2026-07-28',
    'io.modelcontextprotocol/clientInfo': { name: 't', version: '1' },
    'io.modelcontextprotocol/clientCapabilities': offers,
  })
  const post = async (key: string, params: Record<string, unknown>): Promise<{ status: number; body: Json }> => {
    const response = await fetch(`${gateway.url}/mcp/main`, {
      method: 'POST',
      headers: {
        authorization: `Bearer ${key}`,
        'content-type': 'application/json',
        accept: 'application/json, text/event-stream',
        'mcp-protocol-version': '2026-07-28',
        'mcp-method': 'tools/call',
        'mcp-name': String(params['name']),
      },
      body: JSON.stringify({ jsonrpc: '2.0', id: 1, method: 'tools/call', params: { ...params, _meta: meta(capabilities) } }),
    })
    return { status: response.status, body: (await response.json()) as Json }
  }
  const ask = async (name: string, args: object): Promise<Json> => {
    const { body } = await post(ada, { name, arguments: args })
    expect(body['result']).toMatchObject({ resultType: 'input_required', requestState: expect.any(String) })
    return body['result'] as Json
  }

  test.each([
    ['modern__deploy', { env: 'here' }, { confirm: { action: 'accept', content: { confirm: true } } }],
    ['every__trigger-elicitation-request', {}, { 'ask-1': { action: 'accept', content: { name: 'Ada' } } }],
  ])('is of nobody else, and of no other request: %s', async (name, args, inputResponses) => {
    const { requestState } = await ask(name, args)
    const again = (key: string, params: object) => post(key, { name, arguments: args, inputResponses, requestState, ...params })
    for (const [key, params] of [
      [bob, {}],
      [ada, { arguments: { ...args, other: 1 } }],
      [ada, { requestState: String(requestState).replace(/..$/, (last) => (last === 'xx' ? 'yx' : 'xx')) }],
      [ada, { requestState: 'made up' }],
    ] as const)
      expect((await again(key, params)).body['error']).toMatchObject({
        code: -32602,
        data: { code: 'request.invalid', subject: 'requestState' },
      })
    const done = await again(ada, {})
    expect(done.body['result']).toMatchObject({ resultType: 'complete' })
  })

  test('goes on once where the server holds the request, and asks again for what is missing', async () => {
    const name = 'every__trigger-elicitation-request'
    const first = await ask(name, {})
    const missing = await post(ada, { name, arguments: {}, inputResponses: {}, requestState: first['requestState'] })
    expect(missing.body['result']).toMatchObject({ resultType: 'input_required', inputRequests: first['inputRequests'] })
    const inputResponses = { 'ask-1': { action: 'accept', content: { name: 'Ada' } } }
    const { requestState } = missing.body['result'] as { requestState: string }
    expect((await post(ada, { name, arguments: {}, inputResponses, requestState })).body['result']).toMatchObject({
      resultType: 'complete',
    })
    expect((await post(ada, { name, arguments: {}, inputResponses, requestState })).body['error']).toMatchObject({ code: -32602 })
  })

  test.each(['every', 'everyhttp'])('answers nothing without the state that came with the question: %s asks', async (server) => {
    const inputResponses = { 'ask-1': { action: 'accept', content: { name: 'Ada' } } }
    const answered = await post(ada, { name: `${server}__trigger-elicitation-request`, arguments: {}, inputResponses })
    expect(answered.body['result']).toMatchObject({ resultType: 'input_required', requestState: expect.any(String) })
  })

  test('is not read where it is of another shape', async () => {
    for (const [params, subject] of [
      [{ inputResponses: 'yes' }, 'inputResponses'],
      [{ inputResponses: { confirm: true } }, 'inputResponses'],
      [{ requestState: 7 }, 'requestState'],
    ] as const)
      expect((await post(ada, { name: 'modern__deploy', arguments: { env: 'x' }, ...params })).body['error']).toMatchObject({
        data: { subject },
      })
  })
})
