/** An issuer on a real socket, whose keys, words and absences a test decides, and its part of a configuration. */
import { createServer, type Server } from 'node:http'
import type { AddressInfo, Socket } from 'node:net'
import { configSchema } from '@turnward/contract/config'
import { exportJWK, generateKeyPair, SignJWT, type CryptoKey, type JWK } from 'jose'
import { compileSnapshot } from '../../../config/compile.ts'
import type { Snapshot } from '../../../config/snapshot.ts'
import type { TestClock } from '../../identity-parts.fixture.ts'

export interface TestIssuer extends AsyncDisposable {
  readonly address: string
  /** How often its key set was asked for. */
  readonly asked: () => number
  /** Keys it publishes; the first signs. */
  keys: { readonly jwk: JWK; readonly key: CryptoKey }[]
  /** Over its metadata. */
  metadata: Readonly<Record<string, unknown>>
  /** What its key set answers instead of its keys. */
  keySet: { readonly status: number; readonly body: string } | undefined
  /** Waited for before a key set is answered. */
  hold: Promise<unknown>
  /** A token of Alice for the gateway with these claims and header parts over the usual ones. */
  token(claims?: Readonly<Record<string, unknown>>, header?: Readonly<Record<string, unknown>>): Promise<string>
  goAway(): Promise<void>
  comeBack(): Promise<void>
  /** The configuration that takes its tokens. */
  snapshot(parts?: object, more?: object): Snapshot
}

/** `id`: the `kid` of the new key. */
export async function newSigningKey(id: string, algorithm = 'ES256'): Promise<TestIssuer['keys'][number]> {
  const { publicKey, privateKey } = await generateKeyPair(algorithm, { extractable: true })
  return { jwk: { ...(await exportJWK(publicKey)), kid: id, use: 'sig', alg: algorithm }, key: privateKey }
}

export async function startIssuer(clock: TestClock): Promise<TestIssuer> {
  const sockets = new Set<Socket>()
  let server: Server | undefined
  let port = 0
  let asked = 0
  const open = async (): Promise<void> => {
    const opened = createServer((request, response) => {
      const answer = async (): Promise<void> => {
        const isKeys = request.url === '/keys'
        if (isKeys) asked += 1
        if (isKeys) await issuer.hold
        const { status, body } = isKeys
          ? (issuer.keySet ?? { status: 200, body: JSON.stringify({ keys: issuer.keys.map(({ jwk }) => jwk) }) })
          : metadataOf(request.url ?? '', issuer)
        response.writeHead(status, { 'content-type': 'application/json' }).end(body)
      }
      answer().catch(() => response.destroy())
    })
    opened.on('connection', (socket) => {
      sockets.add(socket)
      socket.once('close', () => sockets.delete(socket))
    })
    await new Promise<void>((resolve) => opened.listen(port, '127.0.0.1', resolve))
    port = (opened.address() as AddressInfo).port
    server = opened
  }
  const close = async (): Promise<void> => {
    const closing = server
    server = undefined
    if (closing === undefined) return
    const closed = new Promise<void>((resolve) => closing.close(() => resolve()))
    for (const socket of sockets) socket.destroy()
    await closed
  }
  await open()
  const address = `http://127.0.0.1:${port}`
  const issuer: TestIssuer = {
    address,
    asked: () => asked,
    keys: [await newSigningKey('first')],
    metadata: {},
    keySet: undefined,
    hold: Promise.resolve(),
    token: (claims, header) => signed(issuer, clock, claims, header),
    goAway: close,
    comeBack: open,
    snapshot: (parts, more = {}) =>
      compileSnapshot(
        configSchema.parse({
          identity: { issuers: { acme: { issuer: address, allow_http: true, audiences: ['turnward'], algorithms: ['ES256'], ...parts } } },
          ...more,
        }),
        { files: [], dataDir: '/tmp' },
      ),
    [Symbol.asyncDispose]: close,
  }
  return issuer
}

function metadataOf(path: string, issuer: TestIssuer): { readonly status: number; readonly body: string } {
  if (path !== '/.well-known/openid-configuration') return { status: 404, body: '{}' }
  return { status: 200, body: JSON.stringify({ issuer: issuer.address, jwks_uri: `${issuer.address}/keys`, ...issuer.metadata }) }
}

function signed(issuer: TestIssuer, clock: TestClock, claims: object = {}, header: object = {}): Promise<string> {
  const [first] = issuer.keys
  if (first === undefined) throw new Error('there is no key')
  const now = Math.floor(clock.now() / 1000)
  const usual = { iss: issuer.address, aud: 'turnward', sub: 'alice', iat: now, exp: now + 600 }
  return new SignJWT({ ...usual, ...claims })
    .setProtectedHeader({ alg: first.jwk.alg ?? 'ES256', kid: first.jwk.kid ?? '', typ: 'at+jwt', ...header })
    .sign(first.key)
}
