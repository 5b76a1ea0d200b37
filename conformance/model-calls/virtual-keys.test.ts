/** Keys come and go while the gateway runs, and no secret is kept where someone could read it. */
import { readdir, readFile } from 'node:fs/promises'
import { afterAll, beforeAll, expect, test } from 'vitest'
import { governedConfig, secrets } from '../harness/governed-config.ts'
import { startGoverned, type GovernedGateway } from '../harness/governed-gateway.ts'
import { post, send } from '../harness/raw-http.ts'
import { until } from '../harness/until.ts'

let governed: GovernedGateway
beforeAll(async () => {
  governed = await startGoverned()
  governed.answer({ text: 'ok' })
})
afterAll(() => governed.close())

const config = () => governedConfig({ openai: governed.vendors.openai.url, anthropic: governed.vendors.anthropic.url })
const call = (model: string, key = secrets.alice) =>
  post(`${governed.url}/v1/chat/completions`, key, { model, messages: [{ role: 'user', content: 'hi' }] })
const list = async (key: string) => {
  const { status, text } = await send(`${governed.url}/v1/models`, { headers: { authorization: `Bearer ${key}` } })
  return status === 200 ? 'ok' : String(JSON.parse(text).error.code)
}
const create = async (...args: string[]): Promise<{ id: string; key: string }> => {
  const { code, stdout, stderr } = await governed.gateway.cli(['keys', 'create', '--json', ...args])
  expect(code, stderr).toBe(0)
  return JSON.parse(stdout)
}

test('a key made on the command line works at once, for its principal', async () => {
  const { key } = await create('--principal', 'bob', '--consumer', 'laptop')
  expect(key).toMatch(/^tw_/)
  expect(await list(key)).toBe('ok')
  governed.answer({ text: 'ok' })
  const { headers } = await call('gpt-test', key)
  expect(await governed.gateway.recordThat((record) => record.modelCall === headers['x-turnward-call'])).toMatchObject({
    principal: 'bob',
    consumer: 'laptop',
  })
  expect((await call('claude-test', key)).status).toBe(404)
})

test('a revoked key is refused within moments', async () => {
  const { id, key } = await create('--principal', 'alice')
  expect(await list(key)).toBe('ok')
  expect((await governed.gateway.cli(['keys', 'revoke', id])).code).toBe(0)
  await until('the refusal', async () => ((await list(key)) === 'auth.revoked_key' ? true : undefined))
  expect((await governed.gateway.cli(['keys', 'list', '--json'])).stdout).not.toContain(key)
})

test('a key that expires is refused from then on', async () => {
  // A slow machine may take longer to make a key than the key lives: the next one lives twice as long.
  let lives = 2000
  const key = await until('a key that is good for a while', async () => {
    lives *= 2
    const expires = new Date(Date.now() + lives).toISOString()
    const { code, stdout } = await governed.gateway.cli(['keys', 'create', '--json', '--principal', 'alice', '--expires', expires])
    if (code !== 0) return undefined
    const made = JSON.parse(stdout) as { key: string }
    return (await list(made.key)) === 'ok' ? made.key : undefined
  })
  await until('its end', async () => ((await list(key)) === 'auth.expired_key' ? true : undefined))
  await governed.gateway.reload({
    ...config(),
    keys: { 'alice-key': { principal: 'alice', secret: '${ALICE_KEY}', expires: '2020-01-01' } },
  })
  expect(await list(secrets.alice)).toBe('auth.expired_key')
  expect(await list(secrets.bob)).toBe('auth.unknown_key')
  await governed.gateway.reload(config())
  expect(await list(secrets.alice)).toBe('ok')
})

test('a key for nobody is not made', async () => {
  const { code, stdout } = await governed.gateway.cli(['keys', 'create', '--principal', 'nobody', '--json'])
  expect([code === 0, stdout]).toEqual([false, ''])
})

test('no key and no provider secret is in the log, the data folder or the standard error', async () => {
  const { key } = await create('--principal', 'alice')
  await call('gpt-test', key)
  await call('gpt-unheard-of', key)
  const records = JSON.stringify(await governed.gateway.turnRecords())
  const files = (await readdir(governed.gateway.dataDir, { recursive: true, withFileTypes: true })).filter((entry) => entry.isFile())
  const stored = Buffer.concat(await Promise.all(files.map((entry) => readFile(`${entry.parentPath}/${entry.name}`))))
  for (const secret of [key, secrets.alice, secrets.bob, secrets.openai, secrets.anthropic]) {
    expect(records).not.toContain(secret)
    expect(governed.gateway.logs()).not.toContain(secret)
    expect(stored.includes(secret)).toBe(false)
  }
})
