/** Issuers of the configuration: what presets fill in, and what is refused. */
import { configSchema } from '@turnward/contract/config'
import { describe, expect, test } from 'vitest'
import { compileSnapshot } from './compile.ts'
import { ConfigError } from './problems.ts'
import { revisionOf } from './revision.ts'

const acme = { issuer: 'https://idp.acme.example', audiences: ['turnward'] }

function compiled(issuer: object, more: object = {}) {
  const config = configSchema.parse({ identity: { issuers: { acme: issuer } }, ...more })
  return compileSnapshot(config, { files: [], dataDir: '/tmp' }).issuers.get('acme')
}

function problemsOf(issuer: object, more: object = {}): string {
  const read = configSchema.safeParse({ identity: { issuers: { acme: issuer } }, ...more })
  if (!read.success) return read.error.issues.map(({ path, message }) => `${path.join('.')}: ${message}`).join('\n')
  try {
    compileSnapshot(read.data, { files: [], dataDir: '/tmp' })
    return ''
  } catch (error) {
    return error instanceof ConfigError ? error.problems.map(({ message }) => message).join('\n') : String(error)
  }
}

describe('an issuer', () => {
  test('is as the standards say where nothing is written', () => {
    expect(compiled(acme)).toMatchObject({
      algorithms: ['RS256', 'ES256'],
      types: ['at+jwt'],
      tokens: 'access',
      user: 'sub',
      emails: ['email'],
      groups: ['groups'],
      actor: 'act.sub',
      clockSkewMs: 30_000,
      provision: 'known',
      workloads: false,
    })
  })

  test('is as its preset says, and what is written goes before that', () => {
    const entra = {
      preset: 'entra-id',
      issuer: 'https://login.microsoftonline.com/0b7f1a4e-1111-2222-3333-444455556666/v2.0',
      audiences: ['api'],
    }
    expect(compiled(entra)).toMatchObject({ types: ['jwt'], user: 'oid', subject: 'oid', groups: ['groups'] })
    expect(compiled({ ...entra, user: 'email', groups: 'roles', typ: ['application/at+jwt'] })).toMatchObject({
      types: ['at+jwt'],
      user: 'email',
      subject: 'oid',
      groups: ['roles'],
    })
  })

  test.each([
    ['entra-id', 'https://login.microsoftonline.com/common/v2.0', 'stands for any tenant'],
    ['entra-id', 'https://sts.windows.net/0b7f1a4e-1111-2222-3333-444455556666/', 'is not the issuer of version 2.0'],
    ['auth0', 'https://acme.auth0.com', 'needs a slash at its end'],
    ['keycloak', 'https://sso.acme.example', 'is not the address of a realm'],
    ['google', 'https://google.com', 'is `https://accounts.google.com`'],
  ])('of %s at %s: %s', (preset, issuer, message) => {
    expect(problemsOf({ ...acme, preset, issuer })).toContain(message)
  })

  test.each([
    [{ issuer: 'http://idp.acme.example' }, 'must be https'],
    [{ issuer: 'http://idp.acme.example', allow_http: true }, 'may be http on this machine only'],
    [{ jwks_uri: 'http://idp.acme.example/keys' }, 'must be https'],
    [{ audiences: [] }, 'audiences'],
    [{ algorithms: ['HS256'] }, 'algorithms'],
    [{ algorithms: ['none'] }, 'algorithms'],
    [{ clock_skew_seconds: 61 }, 'clock_skew_seconds'],
    [{ client: { id: 'x' } }, 'is needed for `auth: basic`'],
    [{ client: { id: 'x', auth: 'none', secret: 'y' } }, 'is not used with `auth: none`'],
    [{ client: { id: 'x', auth: 'private_key_jwt' } }, 'is needed for `auth: private_key_jwt`'],
    [{ mapping: { user: 'token.sub' } }, '`token` is not a variable'],
    [{ mapping: { user: 'claims.sub +' } }, 'cannot be read'],
  ])('%o is refused: %s', (parts, message) => {
    expect(problemsOf({ ...acme, ...parts })).toContain(message)
  })

  test('is not named twice, and not `turnward`', () => {
    const twice = { identity: { issuers: { acme, other: acme } } }
    expect(() => compileSnapshot(configSchema.parse(twice), { files: [], dataDir: '/tmp' })).toThrow('the same issuer')
    expect(configSchema.safeParse({ identity: { issuers: { turnward: acme } } }).success).toBe(false)
  })

  test('that speaks for a principal is declared', () => {
    expect(problemsOf(acme, { principals: { alice: { issuer: 'acmee' } } })).toContain('there is no issuer `acmee`')
    expect(problemsOf(acme, { principals: { alice: { issuer: 'acme' } } })).toBe('')
  })

  test('keeps the secret of its client out of the revision', () => {
    const secret = 'a-secret-of-the-client'
    const config = configSchema.parse({ identity: { issuers: { acme: { ...acme, client: { id: 'x', secret } } } } })
    const other = configSchema.parse({ identity: { issuers: { acme: { ...acme, client: { id: 'x', secret: 'another' } } } } })
    expect(revisionOf(config)).not.toBe(revisionOf(other))
  })
})

describe('a mapping', () => {
  test('gives texts and lists of texts of the claims', () => {
    const issuer = compiled({
      ...acme,
      mapping: { user: 'claims.email', groups: 'claims.roles.filter(r, r.startsWith("ai-"))', actors: '[claims.agent.id]' },
    })
    const claims = { email: 'a@acme.example', roles: ['ai-users', 'other'], agent: { id: 'bot' } }
    expect(issuer?.mapping.user?.(claims)).toBe('a@acme.example')
    expect(issuer?.mapping.groups?.(claims)).toEqual(['ai-users'])
    expect(issuer?.mapping.actors?.(claims)).toEqual(['bot'])
    expect(() => issuer?.mapping.user?.({})).toThrow('the expression failed')
  })
})
