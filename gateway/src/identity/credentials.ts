/**
 * Which provider credential a call runs with: the caller's own before anybody else's. A mapping that names something
 * unknown is an error and never a reason to fall back to a broader credential.
 */
import type { ProviderCredential, Snapshot } from '../config/snapshot.ts'
import { noCredential, type Credential } from '../core/credential.ts'
import { TurnwardError } from '../core/error.ts'
import type { Caller } from '../core/principal.ts'
import { AwsIdentities } from './aws-identities.ts'
import { googleIdentities } from './google-identities.ts'

/** `id` goes into the decision, what is in `credential` to the upstream alone. `none` sends no credential. */
export interface ResolvedCredential {
  readonly id: string
  readonly credential: Credential
}

const none: ResolvedCredential = { id: 'none', credential: noCredential }

/**
 * The credential for an upstream, from the first that maps one: the key, the principal, the principal's groups in their
 * order, the upstream itself. A promise only where the credential has to be obtained first. Throws, or rejects with,
 * `upstream.credential` when nobody maps one, the mapping names no known credential, or it cannot be had.
 */
export function resolveCredential(
  snapshot: Snapshot,
  caller: Caller,
  upstreamName: string,
  now: number,
): ResolvedCredential | Promise<ResolvedCredential> {
  const upstream = snapshot.upstreams.get(upstreamName)
  if (upstream === undefined)
    throw new TurnwardError('upstream.credential', { subject: upstreamName, why: 'the upstream is not configured' })
  const id =
    caller.credentials.get(upstreamName) ??
    caller.principal.credentials.get(upstreamName) ??
    groupCredential(snapshot, caller, upstreamName) ??
    upstream.config.credential
  if (id === 'none') return none
  if (id === undefined) {
    throw new TurnwardError('upstream.credential', {
      subject: upstreamName,
      why: `neither the key, ${caller.principal.id}, its groups nor the upstream map one`,
    })
  }
  const credential = snapshot.credentials.get(id)
  if (credential !== undefined) return giveCredential(credential, upstreamName, now)
  throw new TurnwardError('upstream.credential', {
    subject: upstreamName,
    why: `the credential ${id} is mapped and not configured`,
    fix: 'Declare it under `credentials`, or correct the mapping.',
  })
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
