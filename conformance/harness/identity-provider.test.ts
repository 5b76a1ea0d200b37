/** The test provider is what a company has: other suites build on these sentences. */
import { createRemoteJWKSet, decodeProtectedHeader, jwtVerify } from 'jose'
import * as openid from 'openid-client'
import { afterAll, beforeAll, describe, expect, test } from 'vitest'
import { startIdentityProvider, turnwardResource, type IdentityProvider } from './identity-provider.ts'

let idp: IdentityProvider
let config: openid.Configuration
beforeAll(async () => {
  idp = await startIdentityProvider({ redirectUris: ['http://127.0.0.1:1/back'] })
  const { id, secret } = idp.gatewayClient
  config = await openid.discovery(new URL(idp.issuer), id, { client_secret: secret }, openid.ClientSecretBasic(secret), {
    execute: [openid.allowInsecureRequests],
  })
})
afterAll(() => idp[Symbol.asyncDispose]())

const verify = async (token: string) =>
  jwtVerify(token, createRemoteJWKSet(new URL(`${idp.issuer}/jwks`)), { issuer: idp.issuer, audience: 'turnward' })

/** Follows the provider as a browser does, until it returns to the client; gives where to. */
async function signIn(address: URL, form: { readonly login?: string } = {}): Promise<URL> {
  const cookies = new Map<string, string>()
  let at = address
  for (let step = 0; step < 12; step += 1) {
    const ask = (method: string, body?: URLSearchParams) =>
      fetch(at, {
        method,
        redirect: 'manual',
        headers: { cookie: [...cookies].map((pair) => pair.join('=')).join('; ') },
        ...(body === undefined ? {} : { body }),
      })
    let response = await ask('GET')
    if (response.status === 200) response = await ask('POST', new URLSearchParams(form))
    for (const line of response.headers.getSetCookie()) {
      const [, name = '', value = ''] = /^([^=]+)=([^;]*)/.exec(line) ?? []
      cookies.set(name, value)
    }
    at = new URL(response.headers.get('location') ?? '', at)
    if (at.port === '1') return at
  }
  throw new Error(`not back from ${at.pathname}`)
}

async function codeFlow(parameters: Record<string, string>, login?: string) {
  const verifier = openid.randomPKCECodeVerifier()
  const address = openid.buildAuthorizationUrl(config, {
    redirect_uri: 'http://127.0.0.1:1/back',
    scope: 'openid email offline_access',
    prompt: 'consent',
    code_challenge: await openid.calculatePKCECodeChallenge(verifier),
    code_challenge_method: 'S256',
    ...parameters,
  })
  const back = await signIn(address, login === undefined ? {} : { login })
  return openid.authorizationCodeGrant(config, back, { pkceCodeVerifier: verifier })
}

describe('the provider of a company', () => {
  test('signs a person in by a page, tells who it is, and gives fresh tokens', async () => {
    const tokens = await codeFlow({}, 'alice')
    expect(tokens.claims()).toMatchObject({ sub: 'alice', email: 'alice@acme.example' })
    expect(await openid.fetchUserInfo(config, tokens.access_token, 'alice')).toMatchObject({ email: 'alice@acme.example' })
    const fresh = await openid.refreshTokenGrant(config, tokens.refresh_token ?? '')
    expect(fresh.access_token).not.toBe(tokens.access_token)
  })

  test('signs in who is signed in already without a page, and gives a token for the gateway', async () => {
    idp.signsIn('bob')
    const tokens = await codeFlow({ resource: turnwardResource })
    idp.signsIn(undefined)
    const { payload, protectedHeader } = await verify(tokens.access_token)
    expect(payload).toMatchObject({ sub: 'bob', groups: ['support'], client_id: 'turnward' })
    expect(protectedHeader.typ).toBe('at+jwt')
  })

  test('gives access tokens without a browser that are like those', async () => {
    const { payload, protectedHeader } = await verify(await idp.accessToken('alice'))
    expect(payload).toMatchObject({ sub: 'alice', email: 'alice@acme.example', groups: ['staff'], client_id: 'app' })
    expect(protectedHeader.typ).toBe('at+jwt')
  })

  test('gives a workload a token of its own', async () => {
    const { id, secret } = idp.agentClient
    const own = await openid.discovery(new URL(idp.issuer), id, secret, undefined, { execute: [openid.allowInsecureRequests] })
    const { access_token: token } = await openid.clientCredentialsGrant(own, { resource: turnwardResource })
    expect((await verify(token)).payload).toMatchObject({ sub: 'agent', client_id: 'agent' })
  })

  test('exchanges a token, names who acts, and gives an ID-JAG or one on behalf of a person', async () => {
    const type = 'urn:ietf:params:oauth:token-type:'
    const grant = (name: string, parameters: Record<string, string>) =>
      openid.genericGrantRequest(config, `urn:ietf:params:oauth:grant-type:${name}`, parameters)
    const subject = await idp.accessToken('alice')
    const exchange = { subject_token: subject, subject_token_type: `${type}access_token` }
    const given = await grant('token-exchange', { ...exchange, audience: 'turnward' })
    expect((await verify(given.access_token)).payload).toMatchObject({ sub: 'alice', act: { sub: 'turnward' } })
    const jag = await grant('token-exchange', { ...exchange, audience: 'https://crm.example', requested_token_type: `${type}id-jag` })
    expect(decodeProtectedHeader(jag.access_token).typ).toBe('oauth-id-jag+jwt')
    const behalf = { assertion: subject, requested_token_use: 'on_behalf_of', scope: 'turnward/.default' }
    expect((await verify((await grant('jwt-bearer', behalf)).access_token)).payload).toMatchObject({ sub: 'alice', azp: 'turnward' })
    await expect(grant('token-exchange', { ...exchange, subject_token: 'x', audience: 'crm' })).rejects.toMatchObject({
      error: 'invalid_grant',
    })
    expect(idp.exchanges.map(({ given: claims }) => claims?.['aud'])).toEqual(['turnward', 'https://crm.example', 'turnward', undefined])
  })

  test('signs with another key when its keys are rotated, and can go away and come back', async () => {
    const before = await idp.accessToken('alice')
    await idp.rotate()
    const after = await idp.accessToken('alice')
    expect(decodeProtectedHeader(after).kid).not.toBe(decodeProtectedHeader(before).kid)
    await verify(before)
    await verify(after)
    await idp.goAway()
    await expect(verify(after)).rejects.toThrow()
    await idp.comeBack()
    await idp.rotate({ keep: false })
    await expect(verify(after)).rejects.toThrow()
  })
})
