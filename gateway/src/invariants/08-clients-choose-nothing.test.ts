/** Invariant 8: no upstream URL, header or credential is chosen by a client. */
import fc from 'fast-check'
import { describe, expect, test } from 'vitest'
import { say } from '../../../conformance/harness/model-answer.ts'
import { send } from '../../../conformance/harness/raw-http.ts'
import { startVendor } from '../../../conformance/harness/vendor.ts'
import { keys, openFloors } from './floors.fixture.ts'
import { vendorConfig, vendorSecret, wires } from './vendors.fixture.ts'

/** Headers of a client that tries: credentials, routing, identities, hop by hop, and what no one knows. */
const tries: Readonly<Record<string, string>> = {
  cookie: 'session=of-the-client',
  'proxy-authorization': 'Basic Y2xpZW50',
  'openai-organization': 'org-of-the-client',
  'openai-project': 'project-of-the-client',
  'x-goog-api-key': 'goog-of-the-client',
  'api-key': 'azure-of-the-client',
  'x-forwarded-for': '169.254.169.254',
  'x-forwarded-host': 'attacker.example',
  'x-original-url': '/admin',
  'x-upstream-url': 'http://attacker.example/v1',
  'x-portkey-custom-host': 'http://attacker.example/v1',
  'x-turnward-session': 'mine',
  'x-turnward-upstream': 'attacker',
  'user-agent': 'a-client/1.0',
  'accept-encoding': 'br',
  forwarded: 'for=attacker.example',
  origin: 'http://attacker.example',
  referer: 'http://attacker.example/',
  via: '1.1 attacker',
  'x-anything': 'at-all',
}
/** What may be passed on, because the provider's table lists it. */
const passed: Readonly<Record<'openai' | 'anthropic', Readonly<Record<string, string>>>> = {
  openai: { 'openai-beta': 'assistants=v2', 'x-client-request-id': 'request-of-the-client' },
  anthropic: { 'anthropic-beta': 'some-beta-2026', 'anthropic-version': '2023-06-01' },
}
const own = [
  'accept',
  'accept-encoding',
  'authorization',
  'connection',
  'content-length',
  'content-type',
  'host',
  'user-agent',
  'x-api-key',
]
const names = fc.subarray(Object.keys(tries))
const made = fc.stringMatching(/^x-[a-z]{1,12}$/)

const bodyTries = {
  base_url: 'http://attacker.example',
  api_key: 'sk-client',
  api_base: 'http://attacker.example',
  extra_headers: { authorization: 'Bearer sk-client' },
  user: 'somebody',
}

describe.each(wires)('$path, stream: $stream', ({ kind, path, stream }) => {
  test('whatever a client sends, the vendor is asked at its own address, with the configured credential and the listed headers', async () => {
    await using vendor = await startVendor((request) => say(request, { text: 'Hello.' }))
    await using floors = await openFloors({ config: vendorConfig(kind, vendor.url) })
    const body = JSON.stringify({ model: 'm', max_tokens: 10, stream, messages: [{ role: 'user', content: 'hi' }], ...bodyTries })
    await fc.assert(
      fc.asyncProperty(
        names,
        made,
        fc.boolean(),
        fc.constantFrom('authorization', 'x-api-key'),
        async (chosen, unknown, withPassed, carrier) => {
          const headers = Object.fromEntries([
            ...chosen.map((name) => [name, tries[name] ?? '']),
            [unknown, 'made-up'],
            ...(withPassed ? Object.entries(passed[kind]) : []),
          ])
          const credential = carrier === 'authorization' ? { authorization: `Bearer ${keys.alice}` } : { 'x-api-key': keys.alice }
          const answer = await send(`${floors.url}${path}?base_url=http://attacker.example`, {
            headers: { 'content-type': 'application/json', ...headers, ...credential },
            body,
          })
          expect(answer.status, answer.text).toBe(200)

          const seen = vendor.last()
          expect(seen.path).toBe(kind === 'openai' ? '/v1/chat/completions' : '/v1/messages')
          const allowed = new Set([...own, ...Object.keys(passed[kind])])
          expect(Object.keys(seen.headers).filter((name) => !allowed.has(name))).toEqual([])
          expect(seen.headers.authorization ?? seen.headers['x-api-key']).toBe(kind === 'openai' ? `Bearer ${vendorSecret}` : vendorSecret)
          expect(seen.headers[kind === 'openai' ? 'x-api-key' : 'authorization']).toBeUndefined()
          for (const [name, value] of Object.entries(seen.headers)) {
            expect(`${name}: ${String(value)}`).not.toContain(keys.alice)
            if (tries[name] !== undefined) expect(value).not.toBe(tries[name])
          }
          for (const [name, value] of Object.entries(withPassed ? passed[kind] : {})) expect(seen.headers[name]).toBe(value)
        },
      ),
      { numRuns: 30 },
    )
  })

  test('and of the answer only the listed headers come back', async () => {
    await using vendor = await startVendor((request) => {
      const reply = say(request, { text: 'Hello.' })
      return {
        ...reply,
        headers: {
          ...reply.headers,
          'x-turnward-session': 'ses_of_the_vendor',
          server: 'vendor',
          'alt-svc': 'h3=":443"',
          location: 'http://attacker.example',
          authorization: 'Bearer leaked',
        },
      }
    })
    await using floors = await openFloors({ config: vendorConfig(kind, vendor.url) })
    const body = JSON.stringify({ model: 'm', max_tokens: 10, stream, messages: [{ role: 'user', content: 'hi' }] })
    const { headers } = await send(`${floors.url}${path}`, {
      headers: { 'content-type': 'application/json', authorization: `Bearer ${keys.alice}` },
      body,
    })
    const ours = [
      'connection',
      'content-type',
      'date',
      'x-turnward-call',
      'x-turnward-session',
      'x-turnward-turn',
      ...(stream ? ['cache-control', 'transfer-encoding', 'x-accel-buffering'] : ['content-length']),
    ]
    const vendors =
      kind === 'openai' ? ['openai-processing-ms', 'x-request-id', 'x-upstream-request-id'] : ['request-id', 'x-upstream-request-id']
    expect(Object.keys(headers).sort()).toEqual([...ours, ...vendors].sort())
    expect(headers['x-turnward-session']).not.toBe('ses_of_the_vendor')
  })
})

test('a model name chooses nothing but a route', async () => {
  await using vendor = await startVendor((request) => say(request, { text: 'Hello.' }))
  await using floors = await openFloors({
    config: vendorConfig('openai', vendor.url, { routes: [{ model: 'gpt-*', upstreams: [{ upstream: 'vendor', model: 'deployed' }] }] }),
  })
  const ask = (model: string) =>
    send(`${floors.url}/v1/chat/completions`, {
      headers: { 'content-type': 'application/json', authorization: `Bearer ${keys.alice}` },
      body: JSON.stringify({ model, messages: [{ role: 'user', content: 'hi' }] }),
    })
  for (const model of ['http://attacker.example/gpt-4', '../gpt-4', 'vendor', 'team', ''])
    expect((await ask(model)).status).toBeGreaterThanOrEqual(400)
  expect(vendor.requests).toEqual([])
  await fc.assert(
    fc.asyncProperty(fc.string({ maxLength: 20 }), async (rest) => {
      await ask(`gpt-${rest}`)
      expect(vendor.last()).toMatchObject({ path: '/v1/chat/completions', body: { model: 'deployed' } })
    }),
    { numRuns: 20 },
  )
})
