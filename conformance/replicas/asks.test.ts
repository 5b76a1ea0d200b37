/** What servers ask while they work, where any replica may be asked next: a person, and a model of the gateway. */
import { afterAll, beforeAll, describe, expect, test } from 'vitest'
import { governedConfig, secretEnv, secrets } from '../harness/governed-config.ts'
import type { RunningGateway } from '../harness/gateway-process.ts'
import type { Json } from '../harness/json.ts'
import { say } from '../harness/model-answer.ts'
import { hasServices, makePlaces, startReplicas, type Replicas } from '../harness/replicas.ts'
import { startVendor, type Vendor } from '../harness/vendor.ts'
import { startSamplingServer } from '../mcp/sampling-server.ts'
import { installed, serversReady, type HttpUpstream } from '../mcp/upstream-servers.ts'

let replicas: Replicas
let vendor: Vendor
let server: HttpUpstream

const at = (number: number): RunningGateway => {
  const gateway = replicas.gateways[number]
  if (gateway === undefined) throw new Error('no such replica')
  return gateway
}

async function call(number: number, name: string, params: Json = {}): Promise<Json> {
  const _meta = {
    'io.modelcontextprotocol/protocolVersion': '2026-07-28',
    'io.modelcontextprotocol/clientInfo': { name: 'replicas', version: '1.0.0' },
    'io.modelcontextprotocol/clientCapabilities': { elicitation: { form: {} } },
  }
  const response = await fetch(`${at(number).url}/mcp/main`, {
    method: 'POST',
    headers: {
      authorization: `Bearer ${secrets.alice}`,
      'content-type': 'application/json',
      accept: 'application/json, text/event-stream',
      'mcp-protocol-version': '2026-07-28',
      'mcp-method': 'tools/call',
      'mcp-name': name,
    },
    body: JSON.stringify({ jsonrpc: '2.0', id: 1, method: 'tools/call', params: { name, arguments: {}, _meta, ...params } }),
  })
  // An answer that takes its time comes as a stream, behind keep-alives.
  const text = await response.text()
  const isStream = response.headers.get('content-type')?.startsWith('text/event-stream') === true
  return JSON.parse(isStream ? (/^data: ?(\{.*)$/m.exec(text)?.[1] ?? text) : text) as Json
}

describe.skipIf(!hasServices)('at two replicas', () => {
  beforeAll(async () => {
    vendor = await startVendor((request) => say(request, { text: 'Words of the model.' }))
    server = await startSamplingServer()
    const config = governedConfig({ openai: vendor.url, anthropic: vendor.url })
    replicas = await startReplicas(['a', 'b'], {
      config: {
        ...config,
        servers: {
          every: { transport: 'stdio', command: ['node', installed('@modelcontextprotocol/server-everything/dist/index.js')] },
          summaries: { transport: 'http', url: server.url, sampling: { model: 'claude-test' } },
        },
        gateways: { main: { servers: ['every', 'summaries'] } },
        contracts: { 'every__*': { output: { trust: 'trusted' } }, 'summaries__*': { output: { trust: 'untrusted' } } },
      },
      env: secretEnv,
      places: await makePlaces(),
    })
    await Promise.all(replicas.gateways.map(({ url }) => serversReady(url)))
  })
  afterAll(async () => {
    await replicas?.[Symbol.asyncDispose]()
    await vendor?.close()
    await server?.[Symbol.asyncDispose]()
  })

  test('a request that its server holds at one goes on when it is answered at the other', async () => {
    const name = 'every__trigger-elicitation-request'
    const { result } = await call(0, name)
    expect(result).toMatchObject({ resultType: 'input_required' })
    const { requestState } = result as Json
    const done = await call(1, name, { requestState, inputResponses: { 'ask-1': { action: 'accept', content: { name: 'Alice' } } } })
    expect(done).toMatchObject({ result: { resultType: 'complete' } })
    expect(JSON.stringify(done)).toContain('Alice')
  })

  test('a model that was asked at one is not asked again at the other, and is on record in the turn and under the label of the request', async () => {
    const name = 'summaries__both'
    const { result } = await call(0, name)
    expect(Object.keys((result as Json)['inputRequests'] as Json)).toEqual(['confirm'])
    const { requestState } = result as Json
    const done = await call(1, name, { requestState, inputResponses: { confirm: { action: 'accept', content: { confirm: true } } } })
    expect(done).toMatchObject({ result: { content: [{ type: 'text', text: 'Words of the model. (true)' }] } })
    expect(vendor.requests).toHaveLength(1)
    const records = await at(1).turnRecords()
    const model = records.find(({ kind, type }) => kind === 'model_call' && type === 'decision')
    const [first, second] = records.filter(({ subject, type }) => subject === name && type === 'decision')
    expect(model).toMatchObject({ turn: first?.turn, askedBy: { decision: first?.id }, labelBefore: { trust: 'untrusted' } })
    expect([second?.session, second?.turn]).toEqual([first?.session, first?.turn])
  })
})
