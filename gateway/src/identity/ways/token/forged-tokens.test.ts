/**
 * The classes of Wycheproof's JWS vectors, and what else has been done to signed tokens: each is made of a key or a token that is
 * good otherwise, and none is taken.
 */
import { createHmac, createPrivateKey, sign, type KeyObject } from 'node:crypto'
import { exportJWK, generateKeyPair, type JWK } from 'jose'
import { beforeAll, describe, expect, test } from 'vitest'
import { readCompactToken } from './compact-token.ts'
import { keyFor, readSigningKeys } from './signing-keys.ts'

const encode = (value: unknown): string => Buffer.from(typeof value === 'string' ? value : JSON.stringify(value)).toString('base64url')
const payload = { iss: 'https://idp.acme.example', sub: 'alice' }
const header = { alg: 'ES256', kid: 'k', typ: 'at+jwt' }

let elliptic: { readonly jwk: JWK; readonly key: KeyObject }
let other: { readonly jwk: JWK; readonly key: KeyObject }
let rsa: { readonly jwk: JWK; readonly key: KeyObject }
let token: string

async function keys(algorithm: string) {
  const { publicKey, privateKey } = await generateKeyPair(algorithm, { extractable: true })
  return { jwk: await exportJWK(publicKey), key: createPrivateKey({ key: (await exportJWK(privateKey)) as never, format: 'jwk' }) }
}

beforeAll(async () => {
  elliptic = await keys('ES256')
  other = await keys('ES256')
  rsa = await keys('RS256')
  token = signed(header)
})

function signed(head: object, body: object = payload): string {
  const input = `${encode(head)}.${encode(body)}`
  return `${input}.${sign('sha256', Buffer.from(input), { key: elliptic.key, dsaEncoding: 'ieee-p1363' }).toString('base64url')}`
}

const parts = (): [string, string, string] => token.split('.') as [string, string, string]
const changed = (change: (head: string, body: string, signature: string) => string): string => change(...parts())
const wrongForm = expect.objectContaining({ code: 'auth.invalid_token' }) as Error

describe('the form of a token', () => {
  test('is read where it is the one form there is', () => {
    expect(readCompactToken(token)).toMatchObject({ algorithm: 'ES256', keyId: 'k', type: 'at+jwt', claims: payload })
    expect(readCompactToken(signed({ alg: 'ES256', typ: 'application/AT+JWT' })).type).toBe('at+jwt')
    expect(readCompactToken(signed({ alg: 'ES256' }))).toMatchObject({ type: 'none', keyId: undefined })
  })

  test.each<[string, () => string]>([
    ['no signature', () => changed((head, body) => `${head}.${body}.`)],
    ['only two parts', () => changed((head, body) => `${head}.${body}`)],
    ['four parts', () => `${token}.x`],
    ['five parts, as encrypted ones have', () => `${token}.x.y`],
    ['padding', () => `${token}=`],
    ['padding inside', () => changed((head, body, signature) => `${head}=.${body}.${signature}`)],
    ['white space at its end', () => `${token} `],
    ['a line break inside', () => changed((head, body, signature) => `${head}.\n${body}.${signature}`)],
    ['characters of plain base64', () => changed((head, body, signature) => `${head}.${body}.+/${signature.slice(2)}`)],
    ['a character that is none of base64', () => changed((head, body, signature) => `${head}.${body}.${signature}!`)],
    ['bits behind its signature', () => changed((head, body, signature) => `${head}.${body}.${signature.slice(0, -1)}${twin(signature)}`)],
    ['bits behind its payload', () => `${encode(header)}.${Buffer.from('{"a":1}').toString('base64url').slice(0, -1)}R.AAAA`],
    ['a header that is no JSON', () => changed((_head, body, signature) => `${encode('{"alg":"ES256"')}.${body}.${signature}`)],
    ['a header that is a list', () => changed((_head, body, signature) => `${encode(['ES256'])}.${body}.${signature}`)],
    [
      'a header that is not UTF-8',
      () => changed((_head, body, signature) => `${Buffer.from([0x7b, 0xff, 0x7d]).toString('base64url')}.${body}.${signature}`),
    ],
    ['a byte order mark', () => changed((_head, body, signature) => `${encode(`\uFEFF${JSON.stringify(header)}`)}.${body}.${signature}`)],
    ['a payload that is text', () => changed((head, _body, signature) => `${head}.${encode('"alice"')}.${signature}`)],
    ['the JSON form', () => JSON.stringify({ payload: parts()[1], protected: parts()[0], signature: parts()[2] })],
    ['no algorithm', () => signed({ kid: 'k', typ: 'at+jwt' })],
    ['an algorithm that is a number', () => signed({ ...header, alg: 256 })],
    ['`crit`', () => signed({ ...header, crit: ['exp'], exp: 1 })],
    ['`crit` without anything', () => signed({ ...header, crit: [] })],
    ['`b64`', () => signed({ ...header, b64: true })],
    ['`zip`', () => signed({ ...header, zip: 'DEF' })],
    ['`enc`', () => signed({ ...header, enc: 'A256GCM' })],
    ['a `kid` that is a list', () => signed({ ...header, kid: ['k'] })],
    ['a `kid` that is too long', () => signed({ ...header, kid: 'k'.repeat(257) })],
    ['an empty `kid`', () => signed({ ...header, kid: '' })],
    ['a `typ` that is a list', () => signed({ ...header, typ: ['at+jwt'] })],
    ['more than it may have', () => signed(header, { ...payload, much: 'x'.repeat(12_000) })],
  ])('with %s is refused', (_what, make) => {
    expect(() => readCompactToken(make())).toThrow(wrongForm)
  })
})

/** Another last character that stands for the same bytes to a lenient reader. */
function twin(text: string): string {
  const alphabet = 'ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789-_'
  return alphabet.charAt(alphabet.indexOf(text.at(-1) ?? 'A') ^ 1)
}

describe('a key of a set', () => {
  const set = (...entries: object[]) => readSigningKeys({ keys: entries })
  const ec = () => ({ ...elliptic.jwk, kid: 'k' })

  test('is found by its id and what it can do', () => {
    expect(keyFor(set(ec(), { ...rsa.jwk, kid: 'r' }), 'k', 'ES256')?.id).toBe('k')
    expect(keyFor(set({ ...rsa.jwk, kid: 'r' }), 'r', 'PS512')?.id).toBe('r')
    expect(keyFor(set(ec(), { ...rsa.jwk, kid: 'r' }), undefined, 'ES256')?.id).toBe('k')
  })

  test.each<[string, () => object[], string | undefined, string]>([
    ['is for encryption', () => [{ ...ec(), use: 'enc' }], 'k', 'ES256'],
    ['is for something that is not known', () => [{ ...ec(), use: 'Sig' }], 'k', 'ES256'],
    ['does not verify', () => [{ ...ec(), key_ops: ['sign'] }], 'k', 'ES256'],
    ['does nothing', () => [{ ...ec(), key_ops: [] }], 'k', 'ES256'],
    ['was published for another algorithm', () => [{ ...rsa.jwk, kid: 'k', alg: 'PS256' }], 'k', 'RS256'],
    ['was published for an algorithm it cannot do', () => [{ ...ec(), alg: 'RS256' }], 'k', 'RS256'],
    ['has another curve', () => [ec()], 'k', 'ES384'],
    ['is an elliptic one for RSA', () => [ec()], 'k', 'RS256'],
    ['is a shared secret', () => [{ kty: 'oct', k: encode('secret'), kid: 'k', alg: 'HS256' }], 'k', 'HS256'],
    ['has no point on its curve', () => [{ ...ec(), y: elliptic.jwk.x }], 'k', 'ES256'],
    ['has another id', () => [ec()], 'K', 'ES256'],
    ['has a path for an id', () => [ec()], '../k', 'ES256'],
    ['has a name of objects for an id', () => [ec()], '__proto__', 'ES256'],
    ['shares its id with another', () => [ec(), { ...other.jwk, kid: 'k' }], 'k', 'ES256'],
    ['is one of several, and none is named', () => [ec(), { ...ec(), kid: 'other' }], undefined, 'ES256'],
  ])('that %s is not used', (_what, entries, id, algorithm) => {
    expect(keyFor(set(...entries()), id, algorithm)).toBeUndefined()
  })

  test('that is published twice is one', () => {
    expect(keyFor(set(ec(), { ...ec(), alg: 'ES256', use: 'sig' }), 'k', 'ES256')?.id).toBe('k')
  })

  test('of RSA is not used below 2048 bits', async () => {
    const { generateKeyPairSync } = await import('node:crypto')
    const short = generateKeyPairSync('rsa', { modulusLength: 1024 }).publicKey.export({ format: 'jwk' })
    expect(set({ ...short, kid: 'k' }).all).toEqual([])
  })

  test('stays the same object in the next set, and is another when it is another', () => {
    const before = set(ec())
    expect(readSigningKeys({ keys: [ec()] }, before).all[0]).toBe(before.all[0])
    expect(readSigningKeys({ keys: [{ ...ec(), alg: 'ES256', use: 'sig' }] }, before).all[0]).toBe(before.all[0])
    expect(readSigningKeys({ keys: [{ ...ec(), kid: 'j' }] }, before).all[0]).not.toBe(before.all[0])
  })

  test('keeps nothing private that was published by mistake', async () => {
    const { d, ...own } = (await exportJWK((await generateKeyPair('ES256', { extractable: true })).privateKey)) as JWK
    const [key] = set({ ...own, d, kid: 'k' }).all
    expect(key?.key.type).toBe('public')
  })

  test('is one of at most a hundred', () => {
    expect(() => set(...Array.from({ length: 101 }, (_, index) => ({ ...ec(), kid: `${index}` })))).toThrow('more than 100')
  })
})

test('a public key is never the secret of an HMAC', () => {
  const input = `${encode({ alg: 'HS256', kid: 'k', typ: 'at+jwt' })}.${encode(payload)}`
  const mac = createHmac('sha256', JSON.stringify(elliptic.jwk)).update(input).digest('base64url')
  const { algorithm, keyId } = readCompactToken(`${input}.${mac}`)
  expect(keyFor(readSigningKeys({ keys: [{ ...elliptic.jwk, kid: 'k' }] }), keyId, algorithm)).toBeUndefined()
})
