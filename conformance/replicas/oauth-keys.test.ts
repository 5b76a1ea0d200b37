/** A new signing key that is made at one replica: tokens of the one before go on everywhere, and those of the new one are good at once. */
import { decodeProtectedHeader } from 'jose'
import { afterAll, beforeAll, describe, expect, test } from 'vitest'
import { governedConfig, secretEnv } from '../harness/governed-config.ts'
import { hasServices, makePlaces, startReplicas, type Replicas } from '../harness/replicas.ts'
import { until } from '../harness/until.ts'

const issuer = 'https://turnward.acme.example'
const secret = 'secret-of-the-client-ci-0123456789'
let replicas: Replicas

const urls = () => replicas.gateways.map(({ url }) => url)

async function tokenAt(url: string): Promise<string> {
  const body = new URLSearchParams({ grant_type: 'client_credentials', resource: `${issuer}/v1` })
  const authorization = `Basic ${Buffer.from(`ci:${secret}`).toString('base64')}`
  const response = await fetch(`${url}/oauth/token`, { method: 'POST', headers: { authorization }, body })
  return ((await response.json()) as { readonly access_token: string }).access_token
}

const statuses = (token: string) =>
  Promise.all(urls().map(async (url) => (await fetch(`${url}/v1/models`, { headers: { authorization: `Bearer ${token}` } })).status))

describe.skipIf(!hasServices)('at two replicas', () => {
  beforeAll(async () => {
    replicas = await startReplicas(['a', 'b'], {
      config: {
        ...governedConfig({ openai: 'http://127.0.0.1:1/v1', anthropic: 'http://127.0.0.1:1/v1' }),
        identity: { oauth: { issuer, clients: { ci: { grant: 'client_credentials', secret, principal: 'ci' } } } },
        principals: { ci: { kind: 'workload' } },
        keys: {},
        grants: [{ principals: ['ci'], models: ['*'] }],
      },
      env: secretEnv,
      places: await makePlaces(),
    })
  })
  afterAll(() => replicas?.[Symbol.asyncDispose]())

  test('nobody loses a token when the keys are rotated', async () => {
    const [first = '', second = ''] = urls()
    const before = await Promise.all([tokenAt(first), tokenAt(second)])
    expect(new Set(before.map((token) => decodeProtectedHeader(token).kid)).size).toBe(1)
    const rotated = await replicas.gateways[0]?.cli(['oauth', 'rotate-keys', '--json'])
    expect(rotated?.code).toBe(0)
    const { keys } = JSON.parse(rotated?.stdout ?? '{}') as { readonly keys: readonly string[] }
    expect(keys).toEqual([expect.any(String), decodeProtectedHeader(before[0] ?? '').kid])
    for (const url of urls()) {
      const token = await until('a token that the new key has signed', async () => {
        const one = await tokenAt(url)
        // Whichever key it was signed with, it is good at both from its first moment.
        expect(await statuses(one)).toEqual([200, 200])
        return decodeProtectedHeader(one).kid === keys[0] ? one : undefined
      })
      expect(await statuses(token)).toEqual([200, 200])
      const published = (await (await fetch(`${url}/oauth/jwks`)).json()) as { readonly keys: readonly { readonly kid: string }[] }
      expect(published.keys.map(({ kid }) => kid)).toEqual(keys)
    }
    for (const token of before) expect(await statuses(token)).toEqual([200, 200])
  })
})
