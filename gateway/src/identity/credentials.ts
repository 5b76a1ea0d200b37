/**
 * Which provider credential a call runs with: the caller's own before anybody else's. A mapping that names something
 * unknown is an error and never a reason to fall back to a broader credential.
 */
import type { ProviderCredential, Snapshot, Upstream } from '../config/snapshot.ts'
import { noCredential, type Credential } from '../core/credential.ts'
import { TurnwardError } from '../core/error.ts'
import type { Caller } from '../core/principal.ts'
import { AwsIdentities } from './aws-identities.ts'
import { googleIdentities } from './google-identities.ts'
import type { StoredCredentials } from './vault/stored-credentials.ts'

/** `id` goes into the decision, what is in `credential` to the upstream alone. `none` sends no credential. */
export interface ResolvedCredential {
  readonly id: string
  readonly credential: Credential
}

const none: ResolvedCredential = { id: 'none', credential: noCredential }

/**
 * The credential for an upstream, from the first that has one: the key, the principal, the principal's groups in their order, the
 * organisation, the upstream itself. A person's and a group's own, which they have stored, come before what the configuration
 * maps for them. A promise only where something has to be looked up or obtained first. Throws, or rejects with,
 * `upstream.credential` when nobody has one, a mapping names no known credential, or it cannot be had.
 */
export function resolveCredential(
  snapshot: Snapshot,
  caller: Caller,
  upstreamName: string,
  now: number,
  stored: StoredCredentials,
): ResolvedCredential | Promise<ResolvedCredential> {
  const upstream = snapshot.upstreams.get(upstreamName)
  if (upstream === undefined)
    throw new TurnwardError('upstream.credential', { subject: upstreamName, why: 'the upstream is not configured' })
  const settled = stored.settled()
  if (settled !== undefined) return settled.then(() => resolveSettled(snapshot, caller, upstream, now, stored))
  return resolveSettled(snapshot, caller, upstream, now, stored)
}

function resolveSettled(
  snapshot: Snapshot,
  caller: Caller,
  upstream: Upstream,
  now: number,
  stored: StoredCredentials,
): ResolvedCredential | Promise<ResolvedCredential> {
  const { name: upstreamName } = upstream
  const id = caller.credentials.get(upstreamName)
  if (id === undefined && !stored.isEmpty) {
    const own = storedOrMapped(snapshot, caller, upstreamName, stored)
    if (typeof own !== 'string' && own !== undefined) return own.then((credential) => giveCredential(credential, upstreamName, now))
    return byId(snapshot, caller, upstream, own ?? upstream.config.credential, now)
  }
  return byId(snapshot, caller, upstream, id ?? mappedFor(snapshot, caller, upstreamName) ?? upstream.config.credential, now)
}

function byId(
  snapshot: Snapshot,
  caller: Caller,
  { name }: Upstream,
  id: string | undefined,
  now: number,
): ResolvedCredential | Promise<ResolvedCredential> {
  if (id === 'none') return none
  if (id === undefined) {
    throw new TurnwardError('upstream.credential', {
      subject: name,
      why: `neither the key, ${caller.principal.id}, its groups nor the upstream map one`,
    })
  }
  const credential = snapshot.credentials.get(id)
  if (credential !== undefined) return giveCredential(credential, name, now)
  throw new TurnwardError('upstream.credential', {
    subject: name,
    why: `the credential ${id} is mapped and not configured`,
    fix: 'Declare it under `credentials`, or correct the mapping.',
  })
}

/** What was stored, or the id of what is mapped; undefined for neither. */
function storedOrMapped(
  snapshot: Snapshot,
  { principal }: Caller,
  upstream: string,
  stored: StoredCredentials,
): string | Promise<ProviderCredential> | undefined {
  const ofPerson = stored.of({ person: principal.id }, upstream) ?? principal.credentials.get(upstream)
  if (ofPerson !== undefined) return ofPerson
  for (const group of principal.groups) {
    const ofGroup = stored.of({ group }, upstream) ?? snapshot.groupCredentials.get(group)?.get(upstream)
    if (ofGroup !== undefined) return ofGroup
  }
  return stored.of('organisation', upstream)
}

function mappedFor(snapshot: Snapshot, caller: Caller, upstreamName: string): string | undefined {
  return caller.principal.credentials.get(upstreamName) ?? groupCredential(snapshot, caller, upstreamName)
}

/** Kept as long as the process lives, whatever becomes of the configuration: keys that are good stay good. */
const awsIdentities = new AwsIdentities()
const tokensOfGoogle = googleIdentities()

/** What a configured credential is now. A promise only where it has to be obtained. Rejects with `upstream.credential`. */
export function giveCredential(
  source: ProviderCredential,
  upstream: string,
  now: number,
): ResolvedCredential | Promise<ResolvedCredential> {
  const { id } = source
  switch (source.kind) {
    case 'static':
      return { id, credential: { kind: 'secret', secret: source.secret } }
    case 'parts':
      return { id, credential: source.credential }
    case 'aws-identity':
      return given(id, awsIdentities.credential(source.identity, now), upstream)
    case 'google-identity':
      return given(id, tokensOfGoogle.credential(source.identity, now), upstream)
    case 'obtained':
      return obtain(id, () => source.obtain(now), upstream)
  }
}

function given(
  id: string,
  credential: Credential | Promise<Credential>,
  upstream: string,
): ResolvedCredential | Promise<ResolvedCredential> {
  return credential instanceof Promise ? obtain(id, () => credential, upstream) : { id, credential }
}

async function obtain(id: string, give: () => Credential | Promise<Credential>, upstream: string): Promise<ResolvedCredential> {
  try {
    return { id, credential: await give() }
  } catch (cause) {
    throw new TurnwardError('upstream.credential', {
      subject: upstream,
      why: `the credential ${id} could not be obtained`,
      fix: 'See the log for why, and try again.',
      cause,
    })
  }
}

function groupCredential(snapshot: Snapshot, caller: Caller, upstreamName: string): string | undefined {
  for (const group of caller.principal.groups) {
    const id = snapshot.groupCredentials.get(group)?.get(upstreamName)
    if (id !== undefined) return id
  }
  return undefined
}
