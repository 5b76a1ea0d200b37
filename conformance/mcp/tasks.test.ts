/** Calls that end later: whose they are, what reading them adds to a session, what an answer to one is decided on, and what is on record. */
import { mkdtemp, rm } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterAll, beforeAll, expect, test } from 'vitest'
import { startGateway, type RunningGateway } from '../harness/gateway-process.ts'
import type { Json } from '../harness/json.ts'
import { until } from '../harness/until.ts'
import { startTaskServer, type TaskFixture } from '../suite/fixture/task-server.ts'
import { ada, bob } from './mixed-fleet.ts'
import { post, type RpcAnswer } from './raw-rpc.ts'
import { fixtureServer, serversReady } from './upstream-servers.ts'

const extension = 'io.modelcontextprotocol/tasks'

let jobs: TaskFixture
/** `more`: what is configured besides. */
const configOf = (more: Json = {}): Json => ({
  principals: { ada: {}, bob: {} },
  keys: { ada: { principal: 'ada', secret: ada }, bob: { principal: 'bob', secret: bob } },
  grants: [{ principals: ['ada', 'bob'], gateways: ['*'], tools: ['*'] }],
  servers: {
    jobs: { transport: 'http', url: jobs.url },
    mute: { transport: 'http', url: jobs.url, may_ask: [] },
    notes: { transport: 'stdio', command: ['node', fixtureServer('rewriting.mjs')] },
  },
  gateways: { main: { servers: ['jobs', 'mute', 'notes'] }, other: { servers: ['jobs'] } },
  contracts: {
    '*': { output: { trust: 'trusted' } },
    jobs__slow_compute: { output: { trust: 'untrusted' }, effects: ['computed'] },
    jobs__confirm_delete: { requires: { trust: 'trusted' }, output: { trust: 'trusted' } },
    jobs__greet: { requires: { done: ['computed'] }, output: { trust: 'trusted' } },
    notes__read: { output: { trust: 'untrusted' } },
  },
  ...more,
})
let gateway: RunningGateway
beforeAll(async () => {
  jobs = await startTaskServer()
  gateway = await startGateway({ config: configOf() })
  await serversReady(gateway.url)
})
afterAll(async () => {
  await gateway?.stop()
  await jobs?.[Symbol.asyncDispose]()
})

let ids = 0
interface Client {
  readonly key: string
  readonly session: string
  readonly gateway?: string
  /** Which process it comes to. */
  readonly at?: RunningGateway
  /** What the client declares. */
  readonly capabilities?: Json
}

const withTasks: Json = { elicitation: { form: {} }, extensions: { [extension]: {} } }

function ask(
  { key, session, gateway: name = 'main', at = gateway, capabilities = withTasks }: Client,
  method: string,
  params: Json,
): Promise<RpcAnswer> {
  ids += 1
  const meta = {
    'io.modelcontextprotocol/protocolVersion': '2026-07-28',
    'io.modelcontextprotocol/clientInfo': { name: 'tasks', version: '1.0.0' },
    'io.modelcontextprotocol/clientCapabilities': capabilities,
  }
  return post(
    { url: `${at.url}/mcp/${name}`, key },
    { jsonrpc: '2.0', id: ids, method, params: { ...params, _meta: meta } },
    {
      'mcp-protocol-version': '2026-07-28',
      'mcp-method': method,
      'mcp-name': String(params['name'] ?? params['taskId']),
      'x-turnward-session': session,
    },
  )
}

const resultOf = ({ message }: RpcAnswer): Json => (message['result'] ?? {}) as Json
const codeOf = ({ message }: RpcAnswer): unknown => ((message['error'] as Json | undefined)?.['data'] as Json | undefined)?.['code']
const call = (client: Client, name: string, args: Json = {}): Promise<RpcAnswer> => ask(client, 'tools/call', { name, arguments: args })
async function start(client: Client, name: string, args: Json = {}): Promise<string> {
  const started = resultOf(await call(client, name, args))
  expect(started['resultType']).toBe('task')
  return String(started['taskId'])
}
const taskIn = (client: Client, taskId: string, status: string): Promise<Json> =>
  until(`the task to be ${status}`, async () => {
    const task = resultOf(await ask(client, 'tasks/get', { taskId }))
    return task['status'] === status ? task : undefined
  })

test('a task is told by a name of the gateway, and only to who started it, at the gateway where it was', async () => {
  const client = { key: ada, session: 'owner' }
  const taskId = await start(client, 'jobs__slow_compute', { seconds: 60, label: 'mine' })
  const { message } = await ask(client, 'tasks/get', { taskId })
  expect(message['result']).toMatchObject({ taskId, status: 'working', resultType: 'complete' })
  const asked = jobs.asked.at(-1)
  expect([asked?.[0], asked?.[1] === taskId, taskId.includes(String(asked?.[1]))]).toEqual(['tasks/get', false, false])
  for (const other of [
    { ...client, key: bob },
    { ...client, gateway: 'other' },
  ])
    for (const method of ['tasks/get', 'tasks/update', 'tasks/cancel'])
      expect(codeOf(await ask(other, method, { taskId, inputResponses: {} })), method).toBe('mcp.not_found')
  // The server's own name of it opens nothing.
  expect(codeOf(await ask(client, 'tasks/get', { taskId: String(asked?.[1]) }))).toBe('mcp.not_found')
  const changed = `${taskId.slice(0, -2)}${taskId.endsWith('AA') ? 'BB' : 'AA'}`
  expect(codeOf(await ask(client, 'tasks/get', { taskId: changed }))).toBe('mcp.not_found')
  expect(resultOf(await ask(client, 'tasks/cancel', { taskId }))).toMatchObject({ resultType: 'complete' })
  expect(await taskIn(client, taskId, 'cancelled')).toMatchObject({ taskId })
  expect(await gateway.recordThat((one) => one.kind === 'task_cancel')).toMatchObject({ subject: 'jobs__slow_compute', principal: 'ada' })
})

test('what a task comes to is read by its conversation, counts as done then, and is on record under the decision of its call', async () => {
  const client = { key: ada, session: 'reader' }
  expect(resultOf(await call(client, 'jobs__greet', { name: 'Ada' }))['isError']).toBe(true)
  const taskId = await start(client, 'jobs__slow_compute', { seconds: 0, label: 'done' })
  expect((await taskIn(client, taskId, 'completed'))['result']).toMatchObject({ content: [{ type: 'text', text: 'computed done' }] })
  expect(resultOf(await call(client, 'jobs__greet', { name: 'Ada' }))['content']).toEqual([{ type: 'text', text: 'Hello, Ada!' }])
  expect(resultOf(await call(client, 'jobs__confirm_delete'))['isError']).toBe(true)
  const records = (await gateway.turnRecords()).filter((one) => one.subject === 'jobs__slow_compute' && one['session'] !== null)
  const done = records.find((one) => one.outcome === 'ok')
  expect(records.filter(({ id }) => id === done?.id).map(({ type, outcome }) => [type, outcome])).toEqual([
    ['decision', undefined],
    ['outcome', 'ok'],
  ])
})

test('an answer to a task is decided as its call would be now', async () => {
  const client = { key: ada, session: 'answering' }
  const [early, late] = [await start(client, 'jobs__confirm_delete'), await start(client, 'jobs__confirm_delete')]
  const task = await taskIn(client, early, 'input_required')
  expect(Object.keys(task['inputRequests'] as Json)).toEqual(['confirm'])
  const inputResponses = { confirm: { action: 'accept', content: { confirm: true } } }
  expect(resultOf(await ask(client, 'tasks/update', { taskId: early, inputResponses }))).toMatchObject({ resultType: 'complete' })
  await taskIn(client, early, 'completed')
  await call(client, 'notes__read')
  const refused = await ask(client, 'tasks/update', { taskId: late, inputResponses })
  expect(codeOf(refused)).toBe('mcp.not_allowed')
  expect(await taskIn(client, late, 'input_required')).toBeDefined()
  const record = await gateway.recordThat((one) => one.kind === 'task_update' && one.verdict === 'deny')
  expect(record).toMatchObject({ subject: 'jobs__confirm_delete', gaps: [{ kind: 'trust' }] })
})

test('a server that may not ask asks nobody by way of a task either, nor a client that offers nothing', async () => {
  const client = { key: ada, session: 'asked' }
  const silent = await start(client, 'mute__confirm_delete')
  expect(codeOf(await ask(client, 'tasks/get', { taskId: silent }))).toBe('mcp.missing_capability')
  const mute = { ...client, capabilities: { extensions: { [extension]: {} } } }
  const taskId = await start(mute, 'jobs__multi_input')
  const refused = await ask(mute, 'tasks/get', { taskId })
  expect((refused.message['error'] as Json)['data']).toMatchObject({ requiredCapabilities: { elicitation: { form: {} } } })
})

test('a client that does not know tasks is told which capability a tool needs, and of legacy clients no server hears tasks', async () => {
  const plain = { key: ada, session: 'plain', capabilities: {} }
  const refused = await call(plain, 'jobs__failing_job')
  expect([refused.status, refused.message['error']]).toMatchObject([
    400,
    { code: -32021, data: { requiredCapabilities: { extensions: { [extension]: {} } } } },
  ])
  expect(resultOf(await call(plain, 'jobs__slow_compute', { seconds: 1 }))['content']).toEqual([{ type: 'text', text: 'computed at once' }])
  expect(codeOf(await ask(plain, 'tasks/get', { taskId: 'x' }))).toBe('mcp.missing_capability')
})

test('another process goes on with a task', async () => {
  const data = await mkdtemp(join(tmpdir(), 'turnward-tasks-'))
  const config = configOf({ data_dir: data })
  const client = { key: ada, session: 'moved' }
  const before = await startGateway({ config })
  await serversReady(before.url)
  const taskId = await start({ ...client, at: before }, 'jobs__slow_compute', { seconds: 0, label: 'moved' })
  await before.stop()
  await using after = await startGateway({ config })
  await serversReady(after.url)
  const task = await taskIn({ ...client, at: after }, taskId, 'completed')
  expect(task['result']).toMatchObject({ content: [{ text: 'computed moved' }] })
  await after.stop()
  await rm(data, { recursive: true, force: true })
})
