/** `turnward limits show` and `upstreams status` at a running gateway, and what `turnward check` says of budgets. */
import OpenAI from 'openai'
import { afterAll, beforeAll, expect, test } from 'vitest'
import { secrets } from '../harness/governed-config.ts'
import { startGoverned, type GovernedGateway } from '../harness/governed-gateway.ts'
import type { Json } from '../harness/json.ts'

const boss = 'tw_conformance_limits_boss_000000000'
let governed: GovernedGateway

beforeAll(async () => {
  governed = await startGoverned((config) => ({
    ...config,
    principals: { ...config['principals'], boss: {} },
    keys: { ...config['keys'], boss: { principal: 'boss', secret: boss, scopes: ['admin'] } },
    identity: { roles: { viewer: { people: ['boss'] } } },
    limits: {
      rules: [
        { name: 'few', match: { principals: ['alice', 'bob'] }, per: 'principal', count: 'requests', limit: 5, window: '1d' },
        { name: 'budget', per: 'none', count: 'cost', limit: 20, window: 'calendar_month' },
      ],
    },
  }))
  governed.answer({ text: 'ok' })
  const client = new OpenAI({ baseURL: `${governed.url}/v1`, apiKey: secrets.alice })
  await client.chat.completions.create({ model: 'gpt-test', messages: [{ role: 'user', content: 'hi' }] })
})
afterAll(() => governed?.close())

const show = (...more: string[]) => governed.gateway.cli(['limits', 'show', '--url', governed.url, '--key', boss, ...more])

test('`limits show` says of each limit and scope what is used and left, and when it begins anew', async () => {
  const { code, stdout } = await show()
  expect(code).toBe(0)
  expect(stdout).toMatch(/^LIMIT +OF +COUNTS +USED +MOST +LEFT +WINDOW +RESETS +RUNS OUT +ACTION$/m)
  expect(stdout).toMatch(/^few +principal alice +requests +1 +5 +4 +1d +\d{4}-\d\d-\d\dT\S+Z +- +refuse$/m)
  expect(stdout).toMatch(/^few +principal bob +requests +0 +5 +5 /m)
  expect(stdout).toMatch(/^budget +all together +cost +\$0\.0000 +\$20\.0000 +\$20\.0000 +calendar month /m)
})

test('`--principal` leaves out what holds for others, and `--json` says the same', async () => {
  const { stdout } = await show('--principal', 'bob', '--json')
  const { limits } = JSON.parse(stdout) as { readonly limits: readonly Json[] }
  expect(limits).toEqual([
    expect.objectContaining({ limit: 'few', scope: 'bob', used: 0, most: 5, left: 5, window: '1d' }),
    expect.objectContaining({ limit: 'budget', scope: '', most: 20 }),
  ])
})

test('a key that is for calling models is shown nothing', async () => {
  const { code, stderr } = await governed.gateway.cli(['limits', 'show', '--url', governed.url, '--key', secrets.bob, '--json'])
  expect([code, stderr]).toEqual([1, expect.stringContaining('auth.')])
})

test('`check` warns of a budget that holds for models without a known price', async () => {
  const { code, stdout } = await governed.gateway.cli(['check'])
  expect(code).toBe(0)
  expect(stdout).toContain(
    'warning: the budget budget holds for models without a known price (gpt-test at openai, claude-test at anthropic)',
  )
  const { unpriced } = JSON.parse((await governed.gateway.cli(['check', '--json'])).stdout) as Json
  expect(unpriced).toContainEqual({ limit: 'budget', model: 'gpt-test', upstream: 'openai', isRefused: false })
})

test('`upstreams status` says of each whether it is asked, and how soon streams begin and answers come whole', async () => {
  const client = new OpenAI({ baseURL: `${governed.url}/v1`, apiKey: secrets.alice })
  const stream = await client.chat.completions.create({ model: 'gpt-test', messages: [{ role: 'user', content: 'hi' }], stream: true })
  for await (const _chunk of stream);
  const { code, stdout } = await governed.gateway.cli(['upstreams', 'status', '--url', governed.url, '--key', boss])
  expect(code).toBe(0)
  expect(stdout).toMatch(/^UPSTREAM +STATE +RUNNING +FIRST BYTE +WHOLE ANSWER$/m)
  expect(stdout).toMatch(/^openai +up +0 +\d+ ms +\d+ ms$/m)
  expect(stdout).toMatch(/^anthropic +up +0 +- +-$/m)
})

test('a gateway that nobody finds is told of as that, and not as a server', async () => {
  const { code, stderr } = await governed.gateway.cli(['upstreams', 'status', '--url', 'http://127.0.0.1:9', '--key', boss])
  expect([code, stderr]).toEqual([4, expect.stringMatching(/^gateway\.unreachable: .*Start the gateway, or name its address with --url/)])
})
