/** A real Keycloak as the identity provider: its tokens, its kinds of tokens, its service accounts, and its new keys. */
import { afterAll, beforeAll, describe, expect, test } from 'vitest'
import { decodeProtectedHeader } from 'jose'
import { startGoverned, withParts, type GovernedGateway } from '../harness/governed-gateway.ts'
import type { Json } from '../harness/json.ts'
import { startKeycloak, startsWithinMs, whyNoKeycloak, type Keycloak } from './keycloak.ts'

if (whyNoKeycloak !== undefined) console.error(`no Keycloak: ${whyNoKeycloak}`)

const realm = {
  realm: 'acme',
  enabled: true,
  groups: [{ name: 'support' }],
  users: [
    {
      username: 'alice',
      enabled: true,
      email: 'alice@acme.example',
      emailVerified: true,
      firstName: 'Alice',
      lastName: 'Adams',
      credentials: [{ type: 'password', value: 'password-of-alice' }],
      groups: ['/support'],
    },
  ],
  clients: [
    { clientId: 'cli', publicClient: true, directAccessGrantsEnabled: true, protocolMappers: forTurnward() },
    { clientId: 'other', publicClient: true, directAccessGrantsEnabled: true },
    { clientId: 'ci', secret: 'secret-of-ci', serviceAccountsEnabled: true, protocolMappers: forTurnward() },
  ],
}

/** The audience and the groups, as the page on Keycloak says. */
function forTurnward(): readonly object[] {
  return [
    mapper('audience', 'oidc-audience-mapper', { 'included.custom.audience': 'turnward' }),
    mapper('groups', 'oidc-group-membership-mapper', { 'claim.name': 'groups', 'full.path': 'false' }),
  ]
}

function mapper(name: string, kind: string, config: object): object {
  return { name, protocol: 'openid-connect', protocolMapper: kind, config: { 'access.token.claim': 'true', ...config } }
}

describe.skipIf(whyNoKeycloak !== undefined)('with Keycloak', () => {
  let keycloak: Keycloak
  let governed: GovernedGateway
  beforeAll(async () => {
    keycloak = await startKeycloak(realm)
    const issuer = { preset: 'keycloak', issuer: keycloak.issuer, allow_http: true, audiences: ['turnward'] }
    governed = await startGoverned(
      withParts({
        identity: { issuers: { keycloak: { ...issuer, user: 'preferred_username', provision: 'auto' } } },
        keys: {},
        principals: {},
        groups: { support: {} },
        grants: [{ groups: ['support'], models: ['gpt-test'] }],
      }),
    )
    governed.answer({ text: 'Hello.' })
  }, 2 * startsWithinMs)
  afterAll(async () => {
    await governed?.close()
    await keycloak?.[Symbol.asyncDispose]()
  })

  const ofAlice = (client = 'cli') =>
    keycloak.tokens({ grant_type: 'password', client_id: client, scope: 'openid', username: 'alice', password: 'password-of-alice' })
  async function ask(token: unknown): Promise<{ readonly text: string }> {
    const response = await fetch(`${governed.url}/v1/chat/completions`, {
      method: 'POST',
      headers: { 'content-type': 'application/json', authorization: `Bearer ${String(token)}` },
      body: JSON.stringify({ model: 'gpt-test', messages: [{ role: 'user', content: 'hi' }] }),
    })
    return { text: await response.text() }
  }

  test('a person calls with an access token, known by it alone, with the groups it names', async () => {
    const { access_token: token } = await ofAlice()
    expect((await ask(token)).text).toContain('Hello.')
    expect(await governed.gateway.recordThat((one: Json) => one['kind'] === 'model_call')).toMatchObject({
      principal: 'alice',
      issuer: 'keycloak',
      consumer: 'cli',
    })
  })

  test('its ID tokens, its refresh tokens, tokens for nobody here and service accounts are refused in words of their own', async () => {
    const { id_token: id, refresh_token: refresh } = await ofAlice()
    expect((await ask(id)).text).toContain('it is an ID token')
    expect((await ask(refresh)).text).toContain('auth.invalid_token')
    expect((await ask((await ofAlice('other'))['access_token'])).text).toContain('auth.wrong_audience')
    const own = await keycloak.tokens({ grant_type: 'client_credentials', client_id: 'ci', client_secret: 'secret-of-ci' })
    expect((await ask(own['access_token'])).text).toContain('auth.person_needed')
  })

  test('a new key is found when a token is signed with it, and the old one is good as long as it is published', async () => {
    const { access_token: old } = await ofAlice()
    await keycloak.make('/components', {
      name: 'newer',
      providerId: 'rsa-generated',
      providerType: 'org.keycloak.keys.KeyProvider',
      config: { priority: ['500'], algorithm: ['RS256'], keyUse: ['sig'] },
    })
    const { access_token: fresh } = await ofAlice()
    expect(decodeProtectedHeader(String(fresh)).kid).not.toBe(decodeProtectedHeader(String(old)).kid)
    for (const token of [fresh, old]) expect((await ask(token)).text).toContain('Hello.')
  })
})
