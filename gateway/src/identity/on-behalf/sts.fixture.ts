/**
 * A token service that checks what it is asked: an issuer (token exchange, on-behalf-of, ID-JAG) and the authorization server of
 * an MCP server, which believes the issuer's assertions. Keeps every request, and can be told to refuse.
 */
import { createServer } from 'node:http'
import type { AddressInfo } from 'node:net'
import { generateKeyPair, jwtVerify, SignJWT, type JWTPayload } from 'jose'
import * as oauth from 'oauth4webapi'
import type { TokenEndpoint } from './token-endpoint.ts'

export interface TestTokenService extends AsyncDisposable {
  readonly issuer: string
  /** The issuer, for the client `turnward`. */
  readonly endpoint: TokenEndpoint
  /** The authorization server that believes it, for the client `turnward-there`. */
  readonly believer: TokenEndpoint
  /** Parameters of every request, with the client that made it. */
  readonly asked: readonly URLSearchParams[]
  /** Answers every request like this from now on; undefined: as it should. */
  answersWith: ((parameters: URLSearchParams) => { readonly status: number; readonly body: object } | undefined) | undefined
  /** A token of the issuer for `turnward`. */
  token(claims: Readonly<Record<string, unknown>>, typ?: string): Promise<string>
}

const secrets: Readonly<Record<string, string>> = { turnward: 'secret-one', 'turnward-there': 'secret-two' }
const type = (name: string): string => `urn:ietf:params:oauth:token-type:${name}`

export async function startTokenService(): Promise<TestTokenService> {
  const { privateKey, publicKey } = await generateKeyPair('ES256')
  const asked: URLSearchParams[] = []
  const server = createServer((request, response) => {
    const chunks: Buffer[] = []
    request.on('data', (chunk: Buffer) => chunks.push(chunk))
    request.on('end', () => {
      const parameters = new URLSearchParams(Buffer.concat(chunks).toString('utf8'))
      const [client = '', secret] = Buffer.from((request.headers.authorization ?? '').slice(6), 'base64')
        .toString('utf8')
        .split(':')
        .map(decodeURIComponent)
      asked.push(parameters)
      const reply = secrets[client] === secret ? answer(client, parameters) : Promise.resolve(refusal('invalid_client', 401))
      reply
        .catch(() => refusal('invalid_grant'))
        .then(({ status, body }) => response.writeHead(status, { 'content-type': 'application/json' }).end(JSON.stringify(body)))
        .catch(() => response.destroy())
    })
  })
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve))
  const issuer = `http://127.0.0.1:${(server.address() as AddressInfo).port}`

  const sign = (claims: Readonly<Record<string, unknown>>, typ = 'at+jwt'): Promise<string> =>
    new SignJWT({ iss: issuer, ...claims })
      .setProtectedHeader({ alg: 'ES256', typ })
      .setIssuedAt()
      .setExpirationTime('10m')
      .sign(privateKey)

  async function answer(client: string, parameters: URLSearchParams): Promise<{ status: number; body: object }> {
    const told = service.answersWith?.(parameters)
    if (told !== undefined) return told
    const read = async (name: string): Promise<JWTPayload> => (await jwtVerify(parameters.get(name) ?? '', publicKey, { issuer })).payload
    if (parameters.get('grant_type')?.endsWith('token-exchange') === true) {
      const subject = await read('subject_token')
      const actor = parameters.has('actor_token') ? await read('actor_token') : { sub: client }
      const wanted = parameters.get('requested_token_type')
      const isAssertion = wanted === type('id-jag')
      const aud = parameters.getAll('audience')
      const claims = isAssertion
        ? { sub: subject.sub, aud, client_id: 'turnward-there', resource: parameters.get('resource'), scope: parameters.get('scope') }
        : {
            sub: subject.sub,
            aud,
            scope: parameters.get('scope'),
            act: { sub: actor.sub, ...(subject.act === undefined ? {} : { act: subject.act }) },
          }
      return {
        status: 200,
        body: {
          access_token: await sign(claims, isAssertion ? 'oauth-id-jag+jwt' : 'at+jwt'),
          issued_token_type: wanted,
          token_type: isAssertion ? 'N_A' : 'Bearer',
          expires_in: 600,
        },
      }
    }
    const assertion = await read('assertion')
    const isOnBehalf = parameters.get('requested_token_use') === 'on_behalf_of'
    if (isOnBehalf === (client === 'turnward-there')) return refusal('unauthorized_client')
    const claims = isOnBehalf ? { sub: assertion.sub, scp: parameters.get('scope') } : { sub: assertion.sub, aud: assertion.resource }
    return { status: 200, body: { access_token: await sign(claims), token_type: 'Bearer', expires_in: 600 } }
  }

  const endpointOf = (id: string): TokenEndpoint => ({
    server: { issuer, token_endpoint: `${issuer}/token` },
    client: { client_id: id },
    authentication: oauth.ClientSecretBasic(secrets[id] ?? ''),
    allowHttp: true,
  })
  const service: TestTokenService = {
    issuer,
    endpoint: endpointOf('turnward'),
    believer: endpointOf('turnward-there'),
    asked,
    answersWith: undefined,
    token: sign,
    async [Symbol.asyncDispose]() {
      server.closeAllConnections()
      await new Promise((resolve) => server.close(resolve))
    },
  }
  return service
}

function refusal(error: string, status = 400): { status: number; body: object } {
  return { status, body: { error } }
}
