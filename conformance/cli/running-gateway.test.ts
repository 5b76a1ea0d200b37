/** The verbs that talk to a gateway or read what it keeps, while it runs: tools, keys, turns. */
import { mkdtemp, rm } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterAll, beforeAll, beforeEach, expect, test } from 'vitest'
import { runCli, type CliResult } from '../harness/cli.ts'
import type { Json } from '../harness/json.ts'
import { until } from '../harness/until.ts'
import { ada, startOffice, type Office } from '../mcp/office.ts'
import { modernRequest } from '../mcp/raw-rpc.ts'

let home: string
beforeEach(async () => {
  home = await mkdtemp(join(tmpdir(), 'turnward-verbs-'))
  return () => rm(home, { recursive: true, force: true })
})

function run(args: readonly string[], env: Readonly<Record<string, string>> = {}): Promise<CliResult> {
  return runCli(args, { cwd: home, env: { PATH: process.env['PATH'] ?? '', HOME: home, ...env } })
}

let office: Office
beforeAll(async () => {
  office = await startOffice()
})
afterAll(() => office?.[Symbol.asyncDispose]())
const at = (...args: string[]): Promise<CliResult> => run([...args, '--url', office.gateway.url], { TURNWARD_KEY: ada })

test('`tools list` prints what the key may call, for people and as JSON', async () => {
  const plain = await at('tools', 'list')
  expect(plain).toMatchObject({ code: 0 })
  expect(plain.stdout).toMatch(/^office__send\b/m)
  const { tools } = JSON.parse((await at('tools', 'list', '--json')).stdout) as { tools: Json[] }
  expect(tools.map(({ name }) => name)).toContain('office__send')
})

test('`tools call` runs a tool; a refusal ends with 5 and its reason', async () => {
  expect(await at('tools', 'call', 'office__count', '{"n":3}')).toMatchObject({ code: 0, stdout: 'counted 3\n' })
  const refused = await at('tools', 'call', 'office__count', '{"n":7}')
  expect(refused.code).toBe(5)
  expect(refused.stdout).toContain('Numbers above five are not counted')
  const json = await at('tools', 'call', 'office__count', '{"n":7}', '--json')
  expect(JSON.parse(json.stdout)).toMatchObject({ isError: true, _meta: { 'dev.turnward/refusal': { gaps: [{ kind: 'rule' }] } } })
})

test('`--session` names the session a call belongs to', async () => {
  await at('tools', 'call', 'office__read_web', '--session', 'mine')
  expect((await at('tools', 'call', 'office__publish', '--session', 'mine')).code).toBe(5)
  expect((await at('tools', 'call', 'office__publish', '--session', 'another')).code).toBe(0)
})

test.each([
  ['arguments that are not JSON', 1, ['tools', 'call', 'office__count', 'n=3']],
  ['an unknown gateway', 1, ['tools', 'list', '--gateway', 'nothing']],
])('%s: exit code %i', async (_what, code, args) => {
  expect(await at(...args)).toMatchObject({ code, stdout: '' })
})

test('an unknown tool ends with 1 and its code', async () => {
  const { code, stdout, stderr } = await at('tools', 'call', 'office__nothing')
  expect(code).toBe(1)
  expect(stdout).toBe('')
  expect(stderr).toContain('grant.tool')
})

test('a wrong key ends with 1, no key too, and neither is printed', async () => {
  const wrong = 'tw_conformance_nobody_0000000000'
  const refused = await run(['tools', 'list', '--url', office.gateway.url, '--json'], { TURNWARD_KEY: wrong })
  expect(refused.code).toBe(1)
  expect(JSON.parse(refused.stderr)).toMatchObject({ error: { code: 'auth.unknown_key' } })
  expect(refused.stderr).not.toContain(wrong)
  expect((await run(['tools', 'list', '--url', office.gateway.url])).stderr).toContain('TURNWARD_KEY')
})

test('a gateway that is not there ends with 4', async () => {
  expect((await run(['tools', 'list', '--url', 'http://127.0.0.1:1'], { TURNWARD_KEY: ada })).code).toBe(4)
})

test('a second gateway on the same data folder does not start', async () => {
  const { code, stderr } = await office.gateway.cli(['start'])
  expect(code).not.toBe(0)
  expect(stderr).toMatch(/audit\.unwritable|store\.failed|in use/)
})

test('`keys`: a new key works at once, is listed without itself, and stops working when revoked', async () => {
  const made = await office.gateway.cli(['keys', 'create', '--principal', 'bob', '--consumer', 'test', '--expires', '1h', '--json'])
  expect(made).toMatchObject({ code: 0 })
  const { key, id } = JSON.parse(made.stdout) as { key: string; id: string }
  expect(key).toMatch(/^tw_/)
  const status = async (): Promise<number> => (await modernRequest({ url: `${office.gateway.url}/mcp/main`, key }, 'tools/list')).status
  await until('the new key', async () => ((await status()) === 200 ? true : undefined))
  const listed = await office.gateway.cli(['keys', 'list', '--json'])
  expect((JSON.parse(listed.stdout) as { keys: Json[] }).keys).toEqual([
    expect.objectContaining({ id, principal: 'bob', consumer: 'test', status: 'active' }),
  ])
  expect(listed.stdout).not.toContain(key)
  expect(await office.gateway.cli(['keys', 'revoke', id])).toMatchObject({ code: 0 })
  await until('the end of the key', async () => ((await status()) === 401 ? true : undefined))
  expect((await office.gateway.cli(['keys', 'list'])).stdout).toContain('revoked')
})

test.each([
  ['for a principal nobody declared', ['keys', 'create', '--principal', 'nobody']],
  ['with an expiry that is no date', ['keys', 'create', '--principal', 'bob', '--expires', 'soon']],
  ['that is revoked and does not exist', ['keys', 'revoke', 'vk_nothing']],
])('a key %s ends with 1', async (_what, args) => {
  expect(await office.gateway.cli(args)).toMatchObject({ code: 1, stdout: '' })
})

test('an expired key is refused', async () => {
  const made = await office.gateway.cli(['keys', 'create', '--principal', 'bob', '--expires', '2020-01-01', '--json'])
  if (made.code === 0) {
    const { key } = JSON.parse(made.stdout) as { key: string }
    expect((await modernRequest({ url: `${office.gateway.url}/mcp/main`, key }, 'tools/list')).status).toBe(401)
  } else expect(made.stderr).toContain('expire')
})

test('`turns show last` is the newest turn, `turns tail` its records; an unknown turn ends with 1', async () => {
  await at('tools', 'call', 'office__count', '{"n":1}')
  const record = await office.gateway.recordThat((one) => one.type === 'outcome' && one.subject === 'office__count')
  const shown = await office.gateway.cli(['turns', 'show', String(record.turn), '--json'])
  expect(shown).toMatchObject({ code: 0 })
  expect(shown.stdout).toContain('office__count')
  expect((await office.gateway.cli(['turns', 'show', 'last'])).stdout).toMatch(/office__/)
  expect((await office.gateway.cli(['turns', 'tail', '--no-follow', '-n', '2', '--json'])).stdout.trim().split('\n')).toHaveLength(2)
  expect(await office.gateway.cli(['turns', 'show', 'turn_nothing'])).toMatchObject({ code: 1 })
  expect(await office.gateway.cli(['turns', 'tail', '-n', 'many', '--no-follow'])).toMatchObject({ code: 1 })
})

test('`turns list` and `usage` ask the gateway, whose summaries follow its log; `turns recount` has them made again', async () => {
  await at('tools', 'call', 'office__count', '{"n":2}')
  const record = await office.gateway.recordThat((one) => one.type === 'outcome' && one.subject === 'office__count')
  const made = await office.gateway.cli(['keys', 'create', '--principal', String(record.principal), '--scopes', 'admin', '--json'])
  const { key } = JSON.parse(made.stdout) as { key: string }
  const ask = (...args: string[]): Promise<CliResult> => run([...args, '--url', office.gateway.url], { TURNWARD_KEY: key })
  const own = await ask('turns', 'tail', '--no-follow', '-n', '1', '--json')
  expect(JSON.parse(own.stdout)).toMatchObject({ principal: record.principal })
  expect(await ask('turns', 'tail', '-n', '500', '--no-follow')).toMatchObject({ code: 1, stdout: '' })
  const list = async (): Promise<readonly Json[]> => {
    const { code, stdout } = await ask('turns', 'list', '--tool', 'office__count', '--json')
    return code === 0 ? (JSON.parse(stdout) as { turns: Json[] }).turns : []
  }
  const known = await until('the turn in the list', async () => (await list()).find(({ turn }) => turn === record.turn))
  expect(known).toMatchObject({ principal: record.principal, tools: ['office__count'] })
  expect((await ask('turns', 'list', '--tool', 'office__count')).stdout).toContain(String(record.turn))
  expect(JSON.parse((await ask('usage', '--by', 'principal', '--json')).stdout)).toMatchObject({ by: 'principal', totals: [] })
  expect((await ask('usage')).stdout).toMatch(/^Nothing was used from /)
  expect(await office.gateway.cli(['turns', 'recount'])).toMatchObject({ code: 0 })
  await until('the turn in the list again', async () => (await list()).find(({ turn }) => turn === record.turn))
})
