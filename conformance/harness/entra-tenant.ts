/**
 * A tenant of Microsoft Entra ID as far as its documentation shows it: version 2.0 tokens, its paths, and the on-behalf-of flow
 * with the answers and errors it documents. Checks what it is asked as strictly; keeps every request.
 */
import type { IncomingMessage, ServerResponse } from 'node:http'
import { exportJWK, generateKeyPair, jwtVerify, SignJWT, type JWTPayload } from 'jose'
import { formOf, openPlace } from './loopback-place.ts'

/** As it refuses: one of the errors that are documented. */
export interface EntraRefusal {
  readonly error: string
  /** `AADSTS` and this. */
  readonly number: number
  readonly suberror?: string
  /** What the person has to come back with (conditional access). */
  readonly claims?: object
}

export interface OnBehalfSeen {
  readonly parameters: URLSearchParams
  /** Claims of the token that it gave; undefined for a refusal. */
  readonly given: JWTPayload | undefined
}

export interface EntraTenant extends AsyncDisposable {
  /** `http://127.0.0.1:port/TENANT/v2.0` */
  readonly issuer: string
  /** Address of its keys. */
  readonly keys: string
  /** The registered application that the gateway is. */
  readonly application: { readonly id: string; readonly secret: string }
  /** A delegated token of a person for the application, as a client of it gets one. */
  accessToken(person: string): Promise<string>
  /** A token that an application has for itself: no person is in it. */
  applicationToken(): Promise<string>
  readonly asked: readonly OnBehalfSeen[]
  /** Refuses tokens for this person from now on; undefined: gives them. */
  refuses(person: string, refusal: EntraRefusal | undefined): void
  /** Nobody answers at its address until `comeBack`. */
  goAway(): Promise<void>
  comeBack(): Promise<void>
}

/** Object ids, by name. */
export const entraPeople: Readonly<Record<string, string>> = {
  alice: 'a11ce000-0000-4000-8000-000000000001',
  bob: 'b0b00000-0000-4000-8000-000000000002',
}

const tenant = '0f1e2d3c-1111-4222-8333-444455556666'
const application = { id: '5e4d3c2b-aaaa-4bbb-8ccc-ddddeeeeffff', secret: 'secret-of-the-gateway-at-entra-0123456789' }
const invalidAssertion: EntraRefusal = { error: 'invalid_grant', number: 50013 }

/** Starts one on a free port. */
export async function startEntraTenant(): Promise<EntraTenant> {
  const { privateKey, publicKey } = await generateKeyPair('RS256', { extractable: true })
  const jwk = { ...(await exportJWK(publicKey)), kid: 'entra-key', use: 'sig', alg: 'RS256' }
  const asked: OnBehalfSeen[] = []
  const refusals = new Map<string, EntraRefusal>()
  const place = await openPlace((request, response) => {
    serve(request, response).catch(() => response.destroy())
  })
  const origin = `http://127.0.0.1:${place.port}`
  const issuer = `${origin}/${tenant}/v2.0`
  const keysPath = `/${tenant}/discovery/v2.0/keys`
  const tokenPath = `/${tenant}/oauth2/v2.0/token`

  const sign = (claims: JWTPayload): Promise<string> =>
    new SignJWT({ iss: issuer, tid: tenant, ver: '2.0', jti: crypto.randomUUID(), ...claims })
      .setProtectedHeader({ alg: 'RS256', typ: 'JWT', kid: jwk.kid })
      .setIssuedAt()
      .setNotBefore('0s')
      .setExpirationTime('70m')
      .sign(privateKey)

  async function serve(request: IncomingMessage, response: ServerResponse): Promise<void> {
    const path = request.url ?? '/'
    if (path === `/${tenant}/v2.0/.well-known/openid-configuration`)
      return answer(response, 200, {
        issuer,
        token_endpoint: `${origin}${tokenPath}`,
        jwks_uri: `${origin}${keysPath}`,
        authorization_endpoint: `${origin}/${tenant}/oauth2/v2.0/authorize`,
        token_endpoint_auth_methods_supported: ['client_secret_post', 'private_key_jwt', 'client_secret_basic'],
        response_types_supported: ['code'],
        subject_types_supported: ['pairwise'],
        id_token_signing_alg_values_supported: ['RS256'],
      })
    if (path === keysPath) return answer(response, 200, { keys: [jwk] })
    if (path !== tokenPath || request.method !== 'POST') return answer(response, 404, {})
    const parameters = await formOf(request)
    const given = await onBehalf(parameters)
    asked.push({ parameters, given: 'number' in given ? undefined : given })
    if ('number' in given) return answer(response, 400, refusalBody(given as EntraRefusal, parameters))
    answer(response, 200, {
      token_type: 'Bearer',
      scope: parameters.get('scope'),
      expires_in: 4200,
      ext_expires_in: 4200,
      access_token: await sign(given),
    })
  }

  async function onBehalf(parameters: URLSearchParams): Promise<JWTPayload | EntraRefusal> {
    const is = (name: string, value: string): boolean => parameters.get(name) === value
    if (!is('client_id', application.id) || !is('client_secret', application.secret)) return { error: 'invalid_client', number: 7000215 }
    if (!is('grant_type', 'urn:ietf:params:oauth:grant-type:jwt-bearer')) return { error: 'unsupported_grant_type', number: 70003 }
    if (!is('requested_token_use', 'on_behalf_of')) return { error: 'invalid_request', number: 900144 }
    const scope = parameters.get('scope') ?? ''
    // The scopes of one API at a time.
    const [api, another] = new Set(scope.split(' ').map((each) => each.replace(/\/[^/]*$/, '')))
    if (api === undefined || api === '' || another !== undefined) return { error: 'invalid_scope', number: 70011 }
    const verify = jwtVerify(parameters.get('assertion') ?? '', publicKey, { issuer, audience: application.id, typ: 'JWT' })
    const assertion = await verify.then(({ payload }) => payload).catch(() => undefined)
    if (assertion === undefined) return invalidAssertion
    // Nobody is there to act for.
    if (typeof assertion['scp'] !== 'string') return { error: 'invalid_request', number: 50027 }
    const refusal = refusals.get(String(assertion['oid']))
    if (refusal !== undefined) return refusal
    const { sub, oid, preferred_username } = assertion
    return { aud: api, sub: `${sub} at ${api}`, oid, preferred_username, azp: application.id, scp: scope.replaceAll(`${api}/`, '') }
  }

  return {
    issuer,
    keys: `${origin}${keysPath}`,
    application,
    asked,
    accessToken: (person) =>
      sign({
        aud: application.id,
        sub: `pairwise-${person}`,
        oid: entraPeople[person],
        preferred_username: `${person}@acme.example`,
        azp: 'c11e0000-0000-4000-8000-00000000000a',
        scp: 'access',
      }),
    applicationToken: () => {
      const id = 'da3e0000-0000-4000-8000-00000000000b'
      return sign({ aud: application.id, sub: id, oid: id, azp: id, idtyp: 'app', roles: ['Tools.Call'] })
    },
    refuses(person, refusal) {
      if (refusal === undefined) refusals.delete(entraPeople[person] ?? '')
      else refusals.set(entraPeople[person] ?? '', refusal)
    },
    goAway: () => place.close(),
    comeBack: () => place.open(),
    [Symbol.asyncDispose]: () => place.close(),
  }
}

/** With what it was sent in the description: it says more than anybody is to pass on. */
function refusalBody({ error, number, suberror, claims }: EntraRefusal, parameters: URLSearchParams): object {
  return {
    error,
    error_description: `AADSTS${number}: Refused for '${parameters.get('assertion')}'.\r\nTrace ID: 0000aaaa-11bb-cccc-dd22-eeeeee333333`,
    error_codes: [number],
    timestamp: '2026-01-09 02:02:12Z',
    trace_id: '0000aaaa-11bb-cccc-dd22-eeeeee333333',
    correlation_id: 'aaaa0000-bb11-2222-33cc-444444dddddd',
    error_uri: `https://login.microsoftonline.com/error?code=${number}`,
    ...(suberror === undefined ? {} : { suberror }),
    ...(claims === undefined ? {} : { claims: JSON.stringify(claims) }),
  }
}

function answer(response: ServerResponse, status: number, body: object): void {
  response.writeHead(status, { 'content-type': 'application/json; charset=utf-8' }).end(JSON.stringify(body))
}
