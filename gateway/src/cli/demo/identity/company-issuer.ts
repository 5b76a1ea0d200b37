/** The identity provider of the demo's company, in this process: it signs tokens of its people, and exchanges them for the gateway (RFC 8693). */
import { createServer, type IncomingMessage, type Server } from 'node:http'
import { text as readText } from 'node:stream/consumers'
import { exportJWK, generateKeyPair, jwtVerify, SignJWT, type JWTPayload } from 'jose'
import { randomText } from '../../../core/ids.ts'
import { listenLocally } from './listening-locally.ts'

export interface CompanyIssuer {
  readonly url: string
  readonly clientSecret: string
  /** An access token for the gateway, as the agent of a person has it. */
  tokenOf(person: string, groups: readonly string[], agent: string): Promise<string>
  /** What a token for an audience says. Rejects for any other. */
  verify(token: string, audience: string): Promise<JWTPayload>
  close(): void
}

const exchange = 'urn:ietf:params:oauth:grant-type:token-exchange'
const accessToken = 'urn:ietf:params:oauth:token-type:access_token'
const gatewayAudience = 'turnward'

export async function startCompanyIssuer(): Promise<CompanyIssuer> {
  const { publicKey, privateKey } = await generateKeyPair('ES256')
  const jwk = { ...(await exportJWK(publicKey)), kid: 'demo', use: 'sig', alg: 'ES256' }
  const clientSecret = randomText(32)
  let url = ''
  const sign = (claims: JWTPayload): Promise<string> =>
    new SignJWT(claims)
      .setProtectedHeader({ alg: 'ES256', kid: jwk.kid, typ: 'at+jwt' })
      .setIssuer(url)
      .setIssuedAt()
      .setExpirationTime('10m')
      .setJti(randomText(16))
      .sign(privateKey)
  const verify = async (token: string, audience: string): Promise<JWTPayload> =>
    (await jwtVerify(token, publicKey, { issuer: url, audience, typ: 'at+jwt' })).payload

  async function answer(request: IncomingMessage): Promise<{ readonly status: number; readonly body: object }> {
    if (request.url === '/.well-known/openid-configuration')
      return {
        status: 200,
        body: {
          issuer: url,
          jwks_uri: `${url}/jwks`,
          token_endpoint: `${url}/token`,
          authorization_endpoint: `${url}/authorize`,
          response_types_supported: ['code'],
          subject_types_supported: ['public'],
          id_token_signing_alg_values_supported: ['ES256'],
          token_endpoint_auth_methods_supported: ['client_secret_basic'],
        },
      }
    if (request.url === '/jwks') return { status: 200, body: { keys: [jwk] } }
    if (request.url !== '/token') return { status: 404, body: {} }
    const basic = `Basic ${Buffer.from(`${gatewayAudience}:${clientSecret}`).toString('base64')}`
    if (request.headers.authorization !== basic) return { status: 401, body: { error: 'invalid_client' } }
    const form = new URLSearchParams(await readText(request))
    if (form.get('grant_type') !== exchange) return { status: 400, body: { error: 'unsupported_grant_type' } }
    const subject = await verify(form.get('subject_token') ?? '', gatewayAudience).catch(() => undefined)
    if (subject === undefined) return { status: 400, body: { error: 'invalid_grant' } }
    const token = await sign({
      sub: subject.sub ?? '',
      email: subject.email,
      aud: form.get('audience') ?? '',
      act: { sub: gatewayAudience, act: subject.act },
    })
    return { status: 200, body: { access_token: token, issued_token_type: accessToken, token_type: 'Bearer', expires_in: 600 } }
  }

  const server: Server = createServer((request, response) => {
    answer(request)
      .catch(() => ({ status: 500, body: {} }))
      .then(({ status, body }) => response.writeHead(status, { 'content-type': 'application/json' }).end(JSON.stringify(body)))
      .catch(() => response.destroy())
  })
  url = await listenLocally(server)
  return {
    url,
    clientSecret,
    verify,
    tokenOf: (person, groups, agent) =>
      sign({
        sub: `id-of-${person}`,
        email: person,
        email_verified: true,
        groups,
        aud: gatewayAudience,
        client_id: 'chat',
        act: { sub: agent },
      }),
    close() {
      server.close()
    },
  }
}
