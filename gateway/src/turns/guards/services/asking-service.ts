/**
 * A service elsewhere is asked about texts: at the address of the configuration and nowhere else, with its own credential, and within
 * bounds. Whatever it says besides an answer is no answer; what becomes of that is decided where guards are.
 */
import { noCredential } from '../../../config/references.ts'
import type { Guard, Snapshot, Upstream } from '../../../config/snapshot.ts'
import type { Credential } from '../../../core/credential.ts'
import { isObject, type JsonObject } from '../../../core/json.ts'
import { giveCredential, resolveCredential } from '../../../identity/credentials.ts'
import { signRequest } from '../../../models/building-request.ts'
import { fixedHeadersOf } from '../../../models/fixed-headers.ts'
import { providers } from '../../../providers/providers.ts'
import { secretOf } from '../../../providers/signing.ts'
import type { UpstreamRequest } from '../../../providers/transport.ts'
import { type Asking, ServiceFailure } from '../examiner.ts'
import { exchangeJson, jsonHeaders } from './exchanging-json.ts'

/** More than any of them has to say. */
const mostAnswerBytes = 256 * 1024

export interface ServiceRequest {
  /** Below the address of the service. */
  readonly path: string
  readonly body: JsonObject
  /** Flat list of names and values. */
  readonly headers?: readonly string[]
  /** The header that its secret is sent in. Default: as the kind of its upstream signs. */
  readonly keyHeader?: string
}

/** The JSON object it answers with. Rejects with `ServiceFailure`, or the abort reason when nobody waits any more. */
export async function askService(asking: Asking, guard: Guard, request: ServiceRequest): Promise<JsonObject> {
  const answer = await ask(asking, guard, request)
  if (!isObject(answer)) throw new ServiceFailure('it answered with something else than a JSON object')
  return answer
}

/** The same of one that answers with a list. */
export async function askServiceForList(asking: Asking, guard: Guard, request: ServiceRequest): Promise<readonly unknown[]> {
  const answer = await ask(asking, guard, request)
  if (!Array.isArray(answer)) throw new ServiceFailure('it answered with something else than a list')
  return answer
}

function ask(asking: Asking, guard: Guard, request: ServiceRequest): Promise<unknown> {
  const { services, signal } = asking
  const { service, config } = guard
  if (service === undefined) throw new ServiceFailure('it has no address')
  return exchangeJson(services, {
    service,
    request: () => signedRequest(asking, guard, service, request),
    timeoutMs: 'timeout_ms' in config ? config.timeout_ms : 0,
    mostBytes: mostAnswerBytes,
    isAnswer: (status) => status >= 200 && status <= 299,
    waiting: signal,
  })
}

async function signedRequest(
  { services, snapshot, caller }: Asking,
  guard: Guard,
  service: Upstream,
  { path, body, headers = [], keyHeader }: ServiceRequest,
): Promise<UpstreamRequest> {
  const now = services.clock.now()
  const credential = await credentialOf(snapshot, guard, now, () =>
    resolveCredential(snapshot, caller, service.name, now, services.credentials),
  )
  const unsigned: UpstreamRequest = {
    path,
    headers: [
      ...jsonHeaders,
      ...headers,
      ...(keyHeader === undefined || credential.kind === 'none' ? [] : [keyHeader, secretOf(credential)]),
      ...fixedHeadersOf(service.config).flat,
    ],
    body: JSON.stringify(body),
  }
  const target = { upstream: service, model: undefined, weight: 1, priority: 0 }
  return keyHeader === undefined ? signRequest(unsigned, { target, provider: providers[service.config.kind] }, credential, now) : unsigned
}

/** Of a guard that names an upstream, the caller's own for it; of any other, the one it names. */
async function credentialOf(
  snapshot: Snapshot,
  { name, config }: Guard,
  now: number,
  ofCaller: () => Promise<{ readonly credential: Credential }> | { readonly credential: Credential },
): Promise<Credential> {
  if ('upstream' in config) return (await ofCaller()).credential
  const id = 'credential' in config ? config.credential : undefined
  if (id === undefined || id === noCredential) return { kind: 'none' }
  const source = snapshot.credentials.get(id)
  if (source === undefined) throw new ServiceFailure('its credential is not there')
  return (await giveCredential(source, name, now)).credential
}
