/** An issuer of tokens on loopback: a key, its set, and tokens of Mara as many as wanted. */
import { generateKeyPairSync, randomUUID, sign } from 'node:crypto'
import { createServer } from 'node:http'
import type { AddressInfo } from 'node:net'

export interface TokenIssuer {
  readonly url: string
  readonly publicJwk: object
  /** A token that was never given out before. */
  readonly token: () => string
  readonly close: () => Promise<void>
}

const encode = (value: object): string => Buffer.from(JSON.stringify(value)).toString('base64url')

export async function startTokenIssuer(): Promise<TokenIssuer> {
  const { publicKey, privateKey } = generateKeyPairSync('ec', { namedCurve: 'P-256' })
  const publicJwk = { ...publicKey.export({ format: 'jwk' }), kid: 'bench', use: 'sig', alg: 'ES256' }
  const server = createServer((_request, response) => response.end(JSON.stringify({ keys: [publicJwk] })))
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve))
  const url = `http://127.0.0.1:${(server.address() as AddressInfo).port}`
  const token = (): string => {
    const now = Math.floor(Date.now() / 1000)
    const claims = {
      iss: url,
      aud: 'turnward',
      sub: '5b1d3a54-1d0e-4a2e-9a53-0f4a3f1f0c11',
      email: 'mara@acme.example',
      email_verified: true,
      groups: ['staff', 'finance', 'everyone-at-acme'],
      azp: 'bench-app',
      scope: 'openid profile email',
      jti: randomUUID(),
      iat: now,
      exp: now + 3600,
    }
    const input = `${encode({ alg: 'ES256', kid: 'bench', typ: 'at+jwt' })}.${encode(claims)}`
    return `${input}.${sign('sha256', Buffer.from(input), { key: privateKey, dsaEncoding: 'ieee-p1363' }).toString('base64url')}`
  }
  const close = async (): Promise<void> => {
    server.closeAllConnections()
    await new Promise((resolve) => server.close(resolve))
  }
  return { url, publicJwk, token, close }
}
