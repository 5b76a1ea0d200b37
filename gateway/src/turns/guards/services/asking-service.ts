/**
 * A service elsewhere is asked about texts: at the address of the configuration and nowhere else, with its own credential, and within
 * bounds. Whatever it says besides an answer is no answer; what becomes of that is decided where guards are.
 */
import { noCredential } from '../../../config/references.ts'
import type { Guard, Snapshot } from '../../../config/snapshot.ts'
import type { CancelSignal } from '../../../core/cancellation.ts'
import type { Credential } from '../../../core/credential.ts'
import { isObject, type JsonObject } from '../../../core/json.ts'
import { parseJson } from '../../../core/parse-json.ts'
import { giveCredential, resolveCredential } from '../../../identity/credentials.ts'
import { signRequest } from '../../../models/building-request.ts'
import { collectBody } from '../../../models/collecting-body.ts'
import { fixedHeadersOf } from '../../../models/fixed-headers.ts'
import { providers } from '../../../providers/providers.ts'
import { secretOf } from '../../../providers/signing.ts'
import type { UpstreamRequest } from '../../../providers/transport.ts'
import { type Asking, ServiceFailure } from '../examiner.ts'
import { followingFor } from './following-for.ts'

const fixed = ['content-type', 'application/json', 'accept', 'application/json', 'accept-encoding', 'identity', 'user-agent', 'turnward']

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

async function ask(asking: Asking, guard: Guard, request: ServiceRequest): Promise<unknown> {
  const { signal, stop } = followingFor(asking.signal, 'timeout_ms' in guard.config ? guard.config.timeout_ms : 0)
  try {
    return await exchange(asking, guard, request, signal)
  } catch (error) {
    if (asking.signal.aborted) throw asking.signal.reason
    if (signal.aborted) throw signal.reason
    throw error instanceof ServiceFailure ? error : new ServiceFailure('it cannot be reached', error)
  } finally {
    stop()
  }
}

async function exchange(
  { services, snapshot, caller }: Asking,
  guard: Guard,
  { path, body, headers = [], keyHeader }: ServiceRequest,
  signal: CancelSignal,
): Promise<unknown> {
  const { service } = guard
  if (service === undefined) throw new ServiceFailure('it has no address')
  const now = services.clock.now()
  const credential = await credentialOf(snapshot, guard, now, () =>
    resolveCredential(snapshot, caller, service.name, now, services.credentials),
  )
  const unsigned: UpstreamRequest = {
    path,
    headers: [
      ...fixed,
      ...headers,
      ...(keyHeader === undefined || credential.kind === 'none' ? [] : [keyHeader, secretOf(credential)]),
      ...fixedHeadersOf(service.config).flat,
    ],
    body: JSON.stringify(body),
  }
  const target = { upstream: service, model: undefined, weight: 1, priority: 0 }
  const signed =
    keyHeader === undefined ? await signRequest(unsigned, { target, provider: providers[service.config.kind] }, credential, now) : unsigned
  const response = await services.upstreams.of(service).send(signed, signal)
  signal.addEventListener('abort', () => response.abort(), { once: true })
  const bytes = await Promise.race([collectBody(response, mostAnswerBytes, guard.name), whenAborted(signal)])
  if (response.status < 200 || response.status > 299) throw new ServiceFailure(`it answered ${response.status}`)
  return parsed(bytes)
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

function whenAborted(signal: CancelSignal): Promise<never> {
  return new Promise((_, reject) => {
    const abort = (): void => reject(signal.reason)
    signal.addEventListener('abort', abort)
    if (signal.aborted) abort()
  })
}

function parsed(bytes: Buffer): unknown {
  try {
    return parseJson(bytes.toString('utf8'))
  } catch (error) {
    throw new ServiceFailure('its answer is no JSON', error)
  }
}
