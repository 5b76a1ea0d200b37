import { beforeEach, describe, expect, test } from 'vitest'
import { PersonTokens, proofOf, type TokenPurpose } from './person-tokens.ts'
import type { IssuedToken } from './token-request.ts'

let now: number
let asked: string[]
let tokens: PersonTokens

beforeEach(() => {
  now = 1_000_000
  asked = []
  tokens = new PersonTokens(() => now)
})

const alices: TokenPurpose = {
  person: 'alice',
  issuer: 'acme',
  actors: ['agent'],
  server: 'crm',
  kind: 'exchange',
  audience: 'crm',
  resource: undefined,
  scopes: ['read'],
  proof: proofOf('t1'),
}
const issue =
  (name: string, lifeMs: number | undefined = 600_000) =>
  (): Promise<IssuedToken> => {
    asked.push(name)
    return Promise.resolve({
      token: `${name}-${asked.length}`,
      expires: lifeMs === undefined ? undefined : now + lifeMs,
      isBearer: true,
      issuedType: undefined,
      scope: undefined,
    })
  }
const tokenOf = async (purpose: TokenPurpose, name = 'a', lifeMs?: number): Promise<string> =>
  (await tokens.token(purpose, issue(name, lifeMs))).token

test('fifty calls that need a token ask for it once', async () => {
  let give: (token: IssuedToken) => void = () => {}
  let count = 0
  const held = (): Promise<IssuedToken> => {
    count += 1
    return new Promise((resolve) => (give = resolve))
  }
  const all = Array.from({ length: 50 }, () => tokens.token(alices, held))
  await Promise.resolve()
  give(await issue('a')())
  expect(new Set((await Promise.all(all)).map(({ token }) => token)).size).toBe(1)
  expect(count).toBe(1)
})

describe('a token is for one purpose:', () => {
  test.each([
    ['person', { person: 'bob' }],
    ['issuer', { issuer: 'other' }],
    ['actor', { actors: ['agent', 'planner'] }],
    ['server', { server: 'jira' }],
    ['kind', { kind: 'entra_obo' }],
    ['audience', { audience: 'erp' }],
    ['resource', { resource: 'https://crm.example' }],
    ['scope', { scopes: ['read', 'write'] }],
    ['what was shown', { proof: proofOf('t2') }],
  ])('another %s gets another one', async (_what, other) => {
    const first = await tokenOf(alices)
    expect(await tokenOf({ ...alices, ...other })).not.toBe(first)
    expect(await tokenOf(alices)).toBe(first)
    expect(asked).toHaveLength(2)
  })
})

test('a token is renewed while the old one is still good, so that no call goes out with one that ends on the way', async () => {
  await tokenOf(alices)
  now += 569_000
  expect(await tokenOf(alices)).toBe('a-1')
  now += 1000
  expect(await tokenOf(alices)).toBe('a-2')
})

test('one that does not say when it ends is not kept for long', async () => {
  const unsaid = (): Promise<IssuedToken> => issue('u')().then((token) => ({ ...token, expires: undefined }))
  await tokens.token(alices, unsaid)
  now += 269_999
  await tokens.token(alices, unsaid)
  expect(asked).toHaveLength(1)
  now += 1
  await tokens.token(alices, unsaid)
  expect(asked).toHaveLength(2)
})

test('one person’s refusal is that person’s, and is repeated for a moment only', async () => {
  const refuse = (): Promise<IssuedToken> => (asked.push('refused'), Promise.reject(new Error('invalid_grant')))
  await expect(tokens.token(alices, refuse)).rejects.toThrow('invalid_grant')
  await expect(tokens.token(alices, refuse)).rejects.toThrow('invalid_grant')
  expect(asked).toEqual(['refused'])
  expect(await tokenOf({ ...alices, person: 'bob' })).toBe('a-2')
  now += 2000
  expect(await tokenOf(alices)).toBe('a-3')
})

test('a token that a server did not take is asked for anew, once', async () => {
  const first = await tokens.token(alices, issue('a'))
  tokens.drop(first)
  expect(await tokenOf(alices)).toBe('a-2')
  // Who comes late with the same complaint does not take away the new one.
  tokens.drop(first)
  expect(await tokenOf(alices)).toBe('a-2')
})

test('a person who is cut off has none any more, not even one that was on its way', async () => {
  await tokenOf(alices)
  await tokenOf({ ...alices, person: 'bob' }, 'b')
  let give: () => void = () => {}
  const held = (): Promise<IssuedToken> => new Promise((resolve) => (give = () => void issue('late')().then(resolve)))
  const late = tokens.token({ ...alices, server: 'jira' }, held)
  await Promise.resolve()
  tokens.cut('alice')
  give()
  await late
  expect(await tokenOf(alices)).toBe('a-4')
  expect(await tokenOf({ ...alices, server: 'jira' })).toBe('a-5')
  expect(await tokenOf({ ...alices, person: 'bob' })).toBe('b-2')
})

test('one person with many tokens pushes out nobody else’s', async () => {
  await tokenOf({ ...alices, person: 'bob' }, 'b')
  for (let at = 0; at < 500; at += 1) await tokenOf({ ...alices, server: `s${at}` })
  expect(await tokenOf({ ...alices, person: 'bob' }, 'b')).toBe('b-1')
})
