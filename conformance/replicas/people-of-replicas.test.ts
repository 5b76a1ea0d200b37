/** People are the same at all replicas: who is shut out at one is cut off at the other, and what they store at one counts at the other. */
import { afterAll, beforeAll, describe, expect, test } from 'vitest'
import { followStream, streamedChat, type FollowedStream } from '../harness/followed-stream.ts'
import type { RunningGateway } from '../harness/gateway-process.ts'
import { governedConfig, secretEnv, secrets } from '../harness/governed-config.ts'
import { newAccount } from '../harness/local-account.ts'
import { say } from '../harness/model-answer.ts'
import { PageScript } from '../harness/page-script.ts'
import { hasServices, makePlaces, startReplicas, type Replicas } from '../harness/replicas.ts'
import { ScriptedBrowser } from '../harness/scripted-browser.ts'
import { until } from '../harness/until.ts'
import { startVendor, type Vendor } from '../harness/vendor.ts'

const ownKey = 'sk-of-alice-at-every-replica-91ab'

describe.skipIf(!hasServices)('over two replicas', () => {
  let vendor: Vendor
  let replicas: Replicas
  let one: RunningGateway
  let other: RunningGateway
  let root: PageScript
  let alice: PageScript
  let aliceAtOther: PageScript

  beforeAll(async () => {
    const chunk = `data: ${JSON.stringify({ id: 'c', object: 'chat.completion.chunk', choices: [{ index: 0, delta: { content: 'hm' } }] })}\n\n`
    vendor = await startVendor((request) => {
      if (request.method === 'GET') return { headers: { 'content-type': 'application/json' }, parts: ['{"object":"list","data":[]}'] }
      if (request.body.stream !== true) return say(request, { text: 'hello' })
      return { headers: { 'content-type': 'text/event-stream' }, parts: [chunk], ends: 'never' }
    })
    const { listen: _, ...config } = governedConfig({ openai: vendor.url, anthropic: vendor.url })
    const more = { limits: { drain_ms: 200 }, identity: { sign_in: { local: true } } }
    replicas = await startReplicas(['a', 'b'], { config: { ...config, ...more }, env: secretEnv, places: await makePlaces() })
    ;[one, other] = replicas.gateways as [RunningGateway, RunningGateway]
    root = new PageScript(one.url, (await newAccount(one, 'root', 'correct horse battery', { role: 'admin' })).browser)
    const { browser } = await newAccount(one, 'alice', 'correct horse battery')
    alice = new PageScript(one.url, browser)
    // Behind one address the same browser comes to either of them; here their cookies are told apart by the port.
    const same = new ScriptedBrowser()
    for (const [name, value] of browser.cookies) same.cookies.set(name.replace(new URL(one.url).port, new URL(other.url).port), value)
    aliceAtOther = new PageScript(other.url, same)
  })
  afterAll(async () => {
    await replicas?.[Symbol.asyncDispose]()
    await vendor?.close()
  })

  const chat = ({ url }: RunningGateway, key: string): Promise<FollowedStream> =>
    followStream(`${url}/v1/chat/completions`, streamedChat('gpt-test'), key)

  const ask = async ({ url }: RunningGateway, key: string): Promise<number> =>
    (await fetch(`${url}/v1/models`, { headers: { authorization: `Bearer ${key}` } })).status

  async function keyOfCall({ url }: RunningGateway, key: string): Promise<string | undefined> {
    const answer = await fetch(`${url}/v1/chat/completions`, {
      method: 'POST',
      headers: { authorization: `Bearer ${key}`, 'content-type': 'application/json' },
      body: JSON.stringify({ model: 'gpt-test', messages: [{ role: 'user', content: 'hi' }] }),
    })
    expect(answer.status).toBe(200)
    await answer.text()
    return vendor.last().headers.authorization?.replace('Bearer ', '')
  }

  test('a provider key that a person stores at one is what their calls at the other go out with, and nobody else’s', async () => {
    const stored = await alice.ask('POST', '/api/me/credentials', { upstream: 'openai', secret: ownKey })
    expect(stored).toMatchObject({ status: 200, json: { upstream: 'openai' } })
    await until('it to count at the other', async () => ((await keyOfCall(other, secrets.alice)) === ownKey ? true : undefined))
    expect(await keyOfCall(other, secrets.bob)).toBe(secrets.openai)
    const id = String(stored.json['id'])
    await other.recordThat(({ principal, credential }) => principal === 'alice' && credential === id)
    expect((await aliceAtOther.ask('DELETE', `/api/me/credentials/${id}`)).status).toBe(200)
    await until('it to be gone at both', async () => {
      const used = [await keyOfCall(one, secrets.alice), await keyOfCall(other, secrets.alice)]
      return used.every((key) => key === secrets.openai) ? true : undefined
    })
  })

  test('a person who is disabled at one: what streams at the other ends with the reason, and theirs alone', async () => {
    const hers = await Promise.all([chat(one, secrets.alice), chat(other, secrets.alice), chat(other, secrets.alice)])
    const his = await chat(other, secrets.bob)
    await until('all to stream', () => ([...hers, his].every(({ text }) => text.includes('hm')) ? true : undefined))
    expect((await aliceAtOther.ask('GET', '/api/me')).json).toMatchObject({ id: 'alice' })

    const disabled = await root.ask('PATCH', '/api/people/alice', { active: false })
    expect(disabled).toMatchObject({ status: 200, json: { id: 'alice', status: 'disabled' } })
    await until('every stream of hers to end', () => (hers.every(({ hasEnded }) => hasEnded) ? true : undefined))
    for (const { text } of hers) expect(text).toContain('"code":"auth.disabled"')
    expect(his.hasEnded).toBe(false)
    await until('her key to be refused at both', async () =>
      (await ask(one, secrets.alice)) === 403 && (await ask(other, secrets.alice)) === 403 ? true : undefined,
    )
    expect(await ask(other, secrets.bob)).toBe(200)
    for (const browser of [alice, aliceAtOther])
      await until('her session to end', async () => ((await browser.ask('GET', '/api/me')).code === 'auth.signed_out' ? true : undefined))

    expect((await root.ask('PATCH', '/api/people/alice', { active: true })).status).toBe(200)
    await until('her to be let in at the other', async () => ((await ask(other, secrets.alice)) === 200 ? true : undefined))
    // What she was given before stays worthless.
    expect((await aliceAtOther.ask('GET', '/api/me')).code).toBe('auth.signed_out')
  })
})
