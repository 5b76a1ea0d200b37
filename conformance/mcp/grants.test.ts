/** Grants and keys from the outside: what is listed is what can be called, on both floors, and the log names the line that refuses. */
import { mkdtemp, rm } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterAll, beforeAll, expect, test } from 'vitest'
import { secrets } from '../harness/governed-config.ts'
import { startGoverned, type GovernedGateway } from '../harness/governed-gateway.ts'
import { until } from '../harness/until.ts'
import { connectClient, toolNames } from './official-client.ts'
import { fixtureServer, serversReady } from './upstream-servers.ts'

let governed: GovernedGateway
let folder: string

beforeAll(async () => {
  folder = await mkdtemp(join(tmpdir(), 'turnward-grants-'))
  governed = await startGoverned((config) => ({
    ...config,
    servers: {
      office: { transport: 'stdio', command: ['node', fixtureServer('office.mjs'), folder], mounts: [{ path: folder, write: true }] },
    },
    gateways: { main: { servers: ['office'] } },
    grants: [
      { principals: ['*'], gateways: ['main'], servers: ['office'], models: ['*'], tools: ['get_time', 'send_mail'] },
      { principals: ['bob'], forbid: { tools: ['office__send', 'send_*'], models: ['claude-*'] } },
    ],
  }))
  governed.answer({ text: 'Hello.' })
  await serversReady(governed.url)
})
afterAll(async () => {
  await governed?.close()
  await rm(folder, { recursive: true, force: true })
})

const chat = (key: string, model: string, tools: readonly string[] = []): Promise<Response> =>
  fetch(`${governed.url}/v1/chat/completions`, {
    method: 'POST',
    headers: { authorization: `Bearer ${key}`, 'content-type': 'application/json' },
    body: JSON.stringify({
      model,
      messages: [{ role: 'user', content: 'Hello' }],
      ...(tools.length === 0
        ? {}
        : { tools: tools.map((name) => ({ type: 'function', function: { name, parameters: { type: 'object' } } })) }),
    }),
  })

async function modelNames(key: string): Promise<string[]> {
  const response = await fetch(`${governed.url}/v1/models`, { headers: { authorization: `Bearer ${key}` } })
  return ((await response.json()) as { data: { id: string }[] }).data.map(({ id }) => id)
}

async function toolsOf(key: string): Promise<string[]> {
  const client = await connectClient(governed.url, key)
  try {
    return await toolNames(client)
  } finally {
    await client.close()
  }
}

/** The code that a call of a tool fails with; undefined when it is answered. */
async function callFailure(key: string, tool: string, args: Record<string, unknown>): Promise<unknown> {
  const client = await connectClient(governed.url, key)
  try {
    const result = await client.callTool({ name: tool, arguments: args }).catch((error: unknown) => error)
    return result instanceof Error ? result.message : undefined
  } finally {
    await client.close()
  }
}

interface MadeKey {
  readonly id: string
  readonly key: string
}

async function json<T>(...args: readonly string[]): Promise<T> {
  const { code, stdout, stderr } = await governed.gateway.cli([...args, '--json'])
  expect({ code, stderr }).toEqual({ code: 0, stderr: '' })
  return JSON.parse(stdout) as T
}

test('what is forbidden is listed nowhere, cannot be called, and is offered to no model, whatever else allows it', async () => {
  const everything = await toolsOf(secrets.alice)
  expect(everything).toContain('office__send')
  expect(await toolsOf(secrets.bob)).toEqual(everything.filter((name) => name !== 'office__send'))
  expect(await callFailure(secrets.bob, 'office__send', { to: 'bob', body: 'x' })).toMatch(/office__send/)
  const refusedTool = await governed.gateway.recordThat(
    ({ principal, kind, subject }) => principal === 'bob' && kind === 'tool_call' && subject === 'office__send',
  )
  expect(refusedTool).toMatchObject({ action: 'refuse', rules: ['forbid #2'], gaps: [{ kind: 'grant', source: 'forbid #2' }] })

  expect(await modelNames(secrets.alice)).toEqual(expect.arrayContaining(['gpt-test', 'claude-test']))
  expect(await modelNames(secrets.bob)).toEqual(['gpt-test'])
  expect((await chat(secrets.bob, 'claude-test')).status).toBe(404)
  const refusedModel = await governed.gateway.recordThat(
    ({ principal, kind, subject }) => principal === 'bob' && kind === 'model_call' && subject === 'claude-test',
  )
  expect(refusedModel).toMatchObject({ action: 'refuse', rules: ['forbid #2'], errorCode: 'grant.model' })

  expect((await chat(secrets.bob, 'gpt-test', ['get_time', 'send_mail'])).status).toBe(200)
  const sent = JSON.stringify(governed.vendors.openai.requests.at(-1)?.body)
  expect(sent).toContain('get_time')
  expect(sent).not.toContain('send_mail')
})

test('a key does less than its owner: in lists, in calls, and on a floor it is not good for', async () => {
  const narrow = await json<MadeKey>('keys', 'create', '--principal', 'alice', '--models', 'gpt-*', 'nothing', '--tools', 'office__read_*')
  const tools = await toolsOf(narrow.key)
  expect(tools.length).toBeGreaterThan(0)
  expect(tools.every((name) => name.startsWith('office__read_'))).toBe(true)
  expect(await modelNames(narrow.key)).toEqual(['gpt-test'])
  expect((await chat(narrow.key, 'claude-test')).status).toBe(404)
  expect(await callFailure(narrow.key, 'office__backup', {})).toMatch(/office__backup/)
  const refused = await governed.gateway.recordThat(({ key, subject }) => key === narrow.id && subject === 'office__backup')
  expect(refused).toMatchObject({ action: 'refuse', rules: [`key ${narrow.id}`] })
  // Its owner still may, in the same conversation.
  expect(await callFailure(secrets.alice, 'office__backup', {})).toBeUndefined()

  const toolsOnly = await json<MadeKey>('keys', 'create', '--principal', 'bob', '--scopes', 'mcp')
  expect((await toolsOf(toolsOnly.key)).length).toBeGreaterThan(0)
  const response = await chat(toolsOnly.key, 'gpt-test')
  expect(response.status).toBe(403)
  expect(await response.text()).toContain('auth.insufficient_scope')
})

test('a rotated key is good with both secrets for the overlap and with one without, and says when it was used', async () => {
  const first = await json<MadeKey>('keys', 'create', '--principal', 'alice')
  expect((await chat(first.key, 'gpt-test')).status).toBe(200)
  const second = await json<MadeKey>('keys', 'rotate', first.id)
  expect(second.id).toBe(first.id)
  for (const { key } of [first, second]) expect((await chat(key, 'gpt-test')).status).toBe(200)
  const third = await json<MadeKey>('keys', 'rotate', second.key, '--overlap', '0')
  await until('the old secrets to be refused', async () => {
    const answers = await Promise.all([first, second].map(({ key }) => chat(key, 'gpt-test')))
    return answers.every(({ status }) => status === 401) ? true : undefined
  })
  expect((await chat(third.key, 'gpt-test')).status).toBe(200)
  const used = await until(
    'the use to be noted',
    async () => (await json<{ lastUsed: number | null }>('keys', 'show', first.id)).lastUsed ?? undefined,
  )
  expect(used).toBeGreaterThan(0)
})

test('`access explain` names the line that decides, where it stands, and what would change it', async () => {
  const denied = await governed.gateway.cli(['access', 'explain', 'bob', 'office__send', '--json'])
  expect(denied.code).toBe(5)
  expect(JSON.parse(denied.stdout)).toMatchObject({
    allowed: false,
    kind: 'tools',
    decides: { source: 'forbid #2', place: expect.stringMatching(/^turnward\.yaml:\d+:\d+$/) },
    besides: [{ source: 'grant #1' }],
    changes: [{ source: 'forbid #2' }],
  })
  const allowed = await governed.gateway.cli(['access', 'explain', 'alice', 'office__send'])
  expect(allowed).toMatchObject({
    code: 0,
    stdout: expect.stringMatching(/^alice may use tool office__send\.\n {2}grant #1 \(turnward\.yaml:\d+:\d+\): allows it\n/),
  })
})
