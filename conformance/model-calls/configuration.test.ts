/** Living with a configuration: it is swapped while calls run, a mistake changes nothing, keys come and go, and stopping is orderly. */
import { writeFile } from 'node:fs/promises'
import { afterAll, beforeAll, describe, expect, test } from 'vitest'
import { governedConfig, secretEnv, secrets } from '../harness/governed-config.ts'
import { startGateway } from '../harness/gateway-process.ts'
import { startGoverned, type GovernedGateway } from '../harness/governed-gateway.ts'
import { eventsOf, streamHeaders } from '../harness/model-answer.ts'
import { post, send } from '../harness/raw-http.ts'
import { until } from '../harness/until.ts'

let governed: GovernedGateway
beforeAll(async () => {
  governed = await startGoverned()
  governed.answer({ text: 'ok' })
})
afterAll(() => governed.close())

const config = () => governedConfig({ openai: governed.vendors.openai.url, anthropic: governed.vendors.anthropic.url })
const routes = (...models: string[]) => models.map((model) => ({ model, upstreams: ['openai'] }))
const call = (model: string, key = secrets.alice) =>
  post(`${governed.url}/v1/chat/completions`, key, { model, messages: [{ role: 'user', content: 'hi' }] })
const ready = async () => {
  const { status, text } = await send(`${governed.url}/readyz`)
  return { http: status, ...(JSON.parse(text) as { status: string; revision: string; config?: string }) }
}

describe('a change of the file', () => {
  test('counts as soon as it is saved, both ways', async () => {
    expect((await call('gpt-new')).status).toBe(404)
    await governed.gateway.reload({ ...config(), routes: routes('gpt-test', 'gpt-new') })
    expect((await call('gpt-new')).status).toBe(200)
    await governed.gateway.reload(config())
    expect((await call('gpt-new')).status).toBe(404)
  })

  test('a grant that is taken away is gone for the next call', async () => {
    expect((await call('gpt-test', secrets.bob)).status).toBe(200)
    await governed.gateway.reload({ ...config(), grants: [{ principals: ['alice'], models: ['*'] }] })
    expect((await call('gpt-test', secrets.bob)).status).toBe(404)
    await governed.gateway.reload(config())
    expect((await call('gpt-test', secrets.bob)).status).toBe(200)
  })

  test('a call that runs ends on the revision it began with', async () => {
    const before = await governed.gateway.revision()
    let goOn: () => void = () => undefined
    const gate = new Promise<void>((resolve) => {
      goOn = resolve
    })
    governed.respond((request) => {
      const [head, ...rest] = eventsOf(request, { text: 'A long answer' })
      return { headers: streamHeaders(request), parts: [head ?? '', gate, ...rest] }
    })
    const count = governed.vendors.openai.requests.length
    const running = post(`${governed.url}/v1/chat/completions`, secrets.alice, {
      model: 'gpt-test',
      stream: true,
      messages: [{ role: 'user', content: 'hi' }],
    })
    await governed.vendors.openai.received(count + 1)
    // The route and the upstream it runs on are gone meanwhile.
    await governed.gateway.reload({
      ...config(),
      upstreams: { anthropic: (config().upstreams as Record<string, object>).anthropic },
      routes: [{ model: 'claude-test', upstreams: ['anthropic'] }],
    })
    goOn()
    const { text, headers } = await running
    expect(text).toContain('[DONE]')
    const outcome = await governed.gateway.recordThat(
      (record) => record.type === 'outcome' && record.modelCall === headers['x-turnward-call'],
    )
    expect(outcome).toMatchObject({ outcome: 'ok', revision: before })
    expect((await call('gpt-test')).status).toBe(404)
    await governed.gateway.reload(config())
    governed.answer({ text: 'ok' })
  })

  test.each([
    ['an unknown key', () => JSON.stringify({ ...config(), rutes: [] }), /rutes/],
    ['broken YAML', () => 'routes: [\n  - {', /yaml|line/i],
    [
      'a route to an upstream nobody declared',
      () => JSON.stringify({ ...config(), routes: [{ model: 'gpt-test', upstreams: ['nobody'] }] }),
      /nobody/,
    ],
    [
      'a condition that does not compile',
      () => JSON.stringify({ ...config(), rules: [{ name: 'r', when: 'principal.groups +', verdict: 'deny', reason: 'no' }] }),
      /condition/,
    ],
    ['nothing at all', () => '', /./],
  ])('with a mistake (%s) changes nothing, and readiness says so', async (_what, text, says) => {
    const { revision } = await ready()
    await governed.gateway.writeConfig(text())
    const stale = await until('the banner', async () => ((await ready()).config === undefined ? undefined : ready()))
    expect(stale).toMatchObject({ http: 200, status: 'ready', revision })
    // Anybody may ask for readiness: it says where, the log says what.
    expect(stale.config).toMatch(/^refused: (turnward\.yaml:\d+:\d+|see the log)/)
    expect(governed.gateway.logs()).toMatch(says)
    expect(stale.config).not.toContain('127.0.0.1')
    expect((await call('gpt-test')).status).toBe(200)
    expect((await send(`${governed.url}/metrics`)).text).toMatch(/turnward_config_stale(\{[^}]*\})? 1/)
    await governed.gateway.writeConfig(config())
    await until('the banner to go', async () => ((await ready()).config === undefined ? true : undefined))
    expect((await call('gpt-test')).status).toBe(200)
  })

  test('is checked by `turnward check` alike', async () => {
    expect(await governed.gateway.cli(['check'])).toMatchObject({ code: 0 })
    await governed.gateway.writeConfig(JSON.stringify({ ...config(), rutes: [] }, undefined, 2))
    const { code, stderr, stdout } = await governed.gateway.cli(['check'])
    expect(code).toBe(3)
    expect(stderr + stdout).toMatch(/rutes[^]*routes/)
    await governed.gateway.writeConfig(config())
    await until('the banner to go', async () => ((await ready()).config === undefined ? true : undefined))
  })
})

test('SIGHUP reads what the file refers to again', async () => {
  const text = (secret: string) => `tw_file_key_${secret}_${'0123456789'.repeat(2)}`
  const withFile = { ...config(), keys: { 'file-key': { principal: 'alice', secret: '${file:alice.key}' } } }
  await using gateway = await startGateway({ config: withFile, env: secretEnv, files: { 'alice.key': text('one') } })
  const models = async (key: string) => (await send(`${gateway.url}/v1/models`, { headers: { authorization: `Bearer ${key}` } })).status
  expect([await models(text('one')), await models(text('two'))]).toEqual([200, 401])
  await writeFile(`${gateway.dir}/alice.key`, text('two'))
  gateway.signal('SIGHUP')
  await until('the new key', async () => ((await models(text('two'))) === 200 ? true : undefined))
  expect(await models(text('one'))).toBe(401)
})

test('a configuration with a mistake does not start, and says where it is', async () => {
  await expect(startGateway({ config: { ...config(), rutes: [] }, env: secretEnv })).rejects.toThrow(/rutes/)
})
