/**
 * Tokens that must not be taken, made of keys that are good: the classes of Wycheproof's JWS vectors and the attacks that have
 * worked on somebody. Each is given an issuer whose private keys the test has.
 */
import { createHmac, createPrivateKey, generateKeyPairSync, sign, type KeyObject } from 'node:crypto'
import { createServer } from 'node:http'
import type { AddressInfo } from 'node:net'

export interface Forger extends AsyncDisposable {
  /** Address of the issuer. */
  readonly issuer: string
  /** A token that is good. */
  good(): string
  /** What is wrong with it -> the token. */
  forged(): Readonly<Record<string, string>>
}

type Parts = Readonly<Record<string, unknown>>

const encode = (value: unknown): string => Buffer.from(typeof value === 'string' ? value : JSON.stringify(value)).toString('base64url')

/** An issuer with one elliptic key, one of RSA for PS256, and one for encryption; and whoever forges its tokens. */
export async function startForger(): Promise<Forger> {
  const elliptic = generateKeyPairSync('ec', { namedCurve: 'P-256' })
  const rsa = generateKeyPairSync('rsa', { modulusLength: 2048 })
  const encryption = generateKeyPairSync('ec', { namedCurve: 'P-256' })
  const stranger = generateKeyPairSync('ec', { namedCurve: 'P-256' })
  const jwk = (key: KeyObject, more: Parts): Parts => ({ ...key.export({ format: 'jwk' }), ...more })
  const server = createServer((_request, response) =>
    response.setHeader('content-type', 'application/json').end(
      JSON.stringify({
        keys: [
          jwk(elliptic.publicKey, { kid: 'ec', use: 'sig', alg: 'ES256' }),
          jwk(rsa.publicKey, { kid: 'rsa', use: 'sig', alg: 'PS256' }),
          jwk(encryption.publicKey, { kid: 'enc', use: 'enc' }),
        ],
      }),
    ),
  )
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve))
  const issuer = `http://127.0.0.1:${(server.address() as AddressInfo).port}`

  const now = (): number => Math.floor(Date.now() / 1000)
  const claims = (): Parts => ({ iss: issuer, aud: 'turnward', sub: 'alice', email: 'alice@acme.example', iat: now(), exp: now() + 300 })
  const header: Parts = { alg: 'ES256', kid: 'ec', typ: 'at+jwt' }
  const ecdsa = (input: string, key: KeyObject, encoding: 'ieee-p1363' | 'der' = 'ieee-p1363'): string =>
    sign('sha256', Buffer.from(input), { key, dsaEncoding: encoding }).toString('base64url')
  const token = (head: Parts = {}, body: Parts = {}, key: KeyObject = elliptic.privateKey): string => {
    const input = `${encode({ ...header, ...head })}.${encode({ ...claims(), ...body })}`
    return `${input}.${ecdsa(input, key)}`
  }
  const withSignature = (make: (input: string) => string, head: Parts = {}): string => {
    const input = `${encode({ ...header, ...head })}.${encode(claims())}`
    return `${input}.${make(input)}`
  }
  const publicPem = elliptic.publicKey.export({ format: 'pem', type: 'spki' }).toString()
  const publicJwk = jwk(stranger.publicKey, { kid: 'ec' })

  return {
    issuer,
    good: () => token(),
    forged: () => {
      const [head = '', body = '', signature = ''] = token().split('.')
      const bytes = Buffer.from(signature, 'base64url')
      return {
        'no algorithm': `${encode({ ...header, alg: 'none' })}.${body}.`,
        'no algorithm, with a signature': withSignature((input) => ecdsa(input, elliptic.privateKey), { alg: 'none' }),
        'an algorithm in other letters': token({ alg: 'es256' }),
        'no signature': `${head}.${body}.`,
        'a signature of zeros': `${head}.${body}.${Buffer.alloc(64).toString('base64url')}`,
        'a signature cut short': `${head}.${body}.${bytes.subarray(0, 63).toString('base64url')}`,
        'a signature that is too long': `${head}.${body}.${Buffer.concat([bytes, Buffer.alloc(1)]).toString('base64url')}`,
        'a signature in DER': withSignature((input) => ecdsa(input, elliptic.privateKey, 'der')),
        'a signature with another bit': `${head}.${body}.${Buffer.from(bytes.map((byte, at) => (at === 5 ? byte ^ 1 : byte))).toString('base64url')}`,
        'a signature by somebody else': token({}, {}, stranger.privateKey),
        'a signature over something else': `${head}.${encode({ ...claims(), sub: 'bob', email: 'bob@acme.example' })}.${signature}`,
        'the header of another': `${encode({ ...header, x: 1 })}.${body}.${signature}`,
        padding: `${head}.${body}.${signature}=`,
        'bits that are left over': `${head}.${body}.${signature.slice(0, -1)}${leftOver(signature)}`,
        'an HMAC with the public key': withSignature((input) => createHmac('sha256', publicPem).update(input).digest('base64url'), {
          alg: 'HS256',
        }),
        'the padding of RS256 under PS256': withSignature(
          (input) => sign('sha256', Buffer.from(input), rsa.privateKey).toString('base64url'),
          { alg: 'PS256', kid: 'rsa' },
        ),
        'RS256 with a key for PS256': withSignature((input) => sign('sha256', Buffer.from(input), rsa.privateKey).toString('base64url'), {
          alg: 'RS256',
          kid: 'rsa',
        }),
        'a key for encryption': token({ kid: 'enc' }, {}, encryption.privateKey),
        'a key of its own inside': token({ jwk: publicJwk }, {}, stranger.privateKey),
        'the address of its keys inside': token({ jku: `${issuer}/stolen` }, {}, stranger.privateKey),
        'a certificate inside': token({ x5c: ['AAAA'], x5u: `${issuer}/cert` }, {}, stranger.privateKey),
        'a path for a key': token(
          { kid: '../../dev/null' },
          {},
          createPrivateKey(stranger.privateKey.export({ format: 'pem', type: 'pkcs8' })),
        ),
        'a query for a key': token({ kid: "x' UNION SELECT 'y" }, {}, stranger.privateKey),
        'a critical member': token({ crit: ['exp'], exp: 1 }),
        'a payload that is not encoded': token({ crit: ['b64'], b64: false }),
        'another type': token({ typ: 'JWT' }),
        'the type of an exchange': token({ typ: 'oauth-id-jag+jwt' }),
        'no end': token({}, { exp: undefined }),
        'an end in the past': token({}, { exp: now() - 61 }),
        'an end that is text': token({}, { exp: `${now() + 300}` }),
        'a beginning in the future': token({}, { nbf: now() + 120 }),
        'an end far away': token({}, { exp: now() + 10 * 86_400 }),
        'another audience': token({}, { aud: 'turnward.evil.example' }),
        'another issuer': token({}, { iss: `${issuer}/` }),
        'a payload that is a list': withBody(encode([claims()]), head, (input) => ecdsa(input, elliptic.privateKey)),
        'more than fits': token({}, { much: 'x'.repeat(10_000) }),
      }
    },
    async [Symbol.asyncDispose]() {
      server.closeAllConnections()
      await new Promise((resolve) => server.close(resolve))
    },
  }
}

function withBody(body: string, head: string, signed: (input: string) => string): string {
  return `${head}.${body}.${signed(`${head}.${body}`)}`
}

/** Another last character for the same bytes. */
function leftOver(text: string): string {
  const alphabet = 'ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789-_'
  return alphabet.charAt(alphabet.indexOf(text.at(-1) ?? 'A') ^ 1)
}
