import { generateKeyPairSync } from 'node:crypto'
import { createServer } from 'node:http'
import type { AddressInfo } from 'node:net'
import { afterEach, describe, expect, test, vi } from 'vitest'
import { googleIdentities, openClient } from './google-identities.ts'

const minute = 60_000
const secret = (text: string) => ({ kind: 'secret', secret: text })

function client(tokens: readonly (string | null | Error)[]) {
  const asked: number[] = []
  const credentials: { expiry_date?: number | null } = {}
  const getAccessToken = (): Promise<{ token: string | null }> => {
    const token = tokens[asked.push(0) - 1] ?? null
    if (token instanceof Error) return Promise.reject(token)
    credentials.expiry_date = 60 * minute * asked.length
    return Promise.resolve({ token })
  }
  return { asked, client: { credentials, getAccessToken } }
}

describe('a token of Google', () => {
  test('is asked for once and kept until shortly before it expires', async () => {
    const { asked, client: given } = client(['one', 'two'])
    const identities = googleIdentities(() => Promise.resolve(given))
    const identity = { from: 'metadata' } as const
    expect(await Promise.all([0, 0, 0].map(async (now) => identities.credential(identity, now)))).toEqual(
      [0, 0, 0].map(() => secret('one')),
    )
    expect(identities.credential(identity, 54 * minute)).toEqual(secret('one'))
    expect(asked).toHaveLength(1)
    expect(await identities.credential(identity, 56 * minute)).toEqual(secret('two'))
    expect(identities.credential(identity, 57 * minute)).toEqual(secret('two'))
  })

  test('that cannot be had is told in Google’s words, without what was sent to it', async () => {
    const error = Object.assign(new Error('invalid_grant: Invalid JWT Signature.'), { config: { data: 'assertion=eyJhbGciOi' } })
    const identities = googleIdentities(() => Promise.resolve(client([error]).client))
    const failure: unknown = await Promise.resolve(identities.credential({ from: 'auto' }, 0)).catch((thrown: unknown) => thrown)
    expect(failure).toMatchObject({ message: 'invalid_grant: Invalid JWT Signature.' })
    expect(JSON.stringify(failure, Object.getOwnPropertyNames(failure))).not.toContain('eyJ')
  })

  test('that is none is an error', async () => {
    const identities = googleIdentities(() => Promise.resolve(client([null]).client))
    await expect(identities.credential({ from: 'auto' }, 0)).rejects.toThrow('no token')
  })

  test('belongs to one identity each', async () => {
    const opened: unknown[] = []
    const identities = googleIdentities((identity) => (opened.push(identity), Promise.resolve(client(['t']).client)))
    for (const key of ['a', 'b', 'a']) await identities.credential({ from: 'service-account', key }, 0)
    expect(opened).toHaveLength(2)
  })
})

describe('Google’s own code', () => {
  afterEach(() => vi.unstubAllEnvs())

  test('asks the metadata of the instance', async () => {
    const server = createServer((request, response) => {
      const isToken = request.url?.includes('/service-accounts/default/token') === true
      response.setHeader('metadata-flavor', 'Google')
      response.setHeader('content-type', 'application/json')
      response.end(isToken ? JSON.stringify({ access_token: 'ya29.metadata', expires_in: 3600, token_type: 'Bearer' }) : 'ok')
    })
    await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve))
    vi.stubEnv('GCE_METADATA_HOST', `127.0.0.1:${(server.address() as AddressInfo).port}`)
    try {
      expect(await googleIdentities().credential({ from: 'metadata' }, Date.now())).toEqual(secret('ya29.metadata'))
    } finally {
      server.closeAllConnections()
      server.close()
    }
  })

  test('signs with the key of a service account', async () => {
    const { privateKey } = generateKeyPairSync('rsa', {
      modulusLength: 2048,
      privateKeyEncoding: { type: 'pkcs8', format: 'pem' },
      publicKeyEncoding: { type: 'spki', format: 'pem' },
    })
    const key = JSON.stringify({
      type: 'service_account',
      client_email: 'gateway@example.iam.gserviceaccount.com',
      private_key: privateKey,
      private_key_id: 'k1',
    })
    const sent: { url: string; assertion: string }[] = []
    const fetched: typeof fetch = (url, init) => {
      sent.push({
        url: url instanceof Request ? url.url : url.toString(),
        assertion: new URLSearchParams(init?.body as URLSearchParams).get('assertion') ?? '',
      })
      return Promise.resolve(Response.json({ access_token: 'ya29.account', expires_in: 3600, token_type: 'Bearer' }))
    }
    const identities = googleIdentities((identity) => openClient(identity, fetched))
    expect(await identities.credential({ from: 'service-account', key }, Date.now())).toEqual(secret('ya29.account'))
    expect(sent[0]?.url).toBe('https://oauth2.googleapis.com/token')
    const claims: unknown = JSON.parse(Buffer.from(sent[0]?.assertion.split('.')[1] ?? '', 'base64url').toString())
    expect(claims).toMatchObject({
      iss: 'gateway@example.iam.gserviceaccount.com',
      scope: 'https://www.googleapis.com/auth/cloud-platform',
    })
  })

  test.each(['', '{}', '{"type":"external_account","credential_source":{"executable":{"command":"/bin/evil"}}}', 'BEGIN PRIVATE KEY'])(
    'is not given a key that is none: %s',
    async (key) => {
      await expect(googleIdentities().credential({ from: 'service-account', key }, 0)).rejects.toThrow(
        'the key is not the JSON file of a service account',
      )
    },
  )
})
