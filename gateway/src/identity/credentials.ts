/**
 * Which provider credential a call runs with: the caller's own before anybody else's. A mapping that names something
 * unknown is an error and never a reason to fall back to a broader credential.
 */
import type { ProviderCredential, Snapshot } from '../config/snapshot.ts'
import { noCredential, type Credential } from '../core/credential.ts'
import { TurnwardError } from '../core/error.ts'
import type { Caller } from '../core/principal.ts'

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
  if (credential?.kind === 'parts') return { id: credential.id, credential: credential.credential }
  if (credential !== undefined) return credential.kind === 'static' ? staticCredential(credential) : obtain(credential, upstreamName, now)
  throw new TurnwardError('upstream.credential', {
    subject: upstreamName,
    why: `the credential ${id} is mapped and not configured`,
    fix: 'Declare it under `credentials`, or correct the mapping.',
  })
}

function staticCredential({ id, secret }: Extract<ProviderCredential, { kind: 'static' }>): ResolvedCredential {
  return { id, credential: { kind: 'secret', secret } }
}

async function obtain(
  { id, obtain: give }: Extract<ProviderCredential, { kind: 'obtained' }>,
  upstream: string,
  now: number,
): Promise<ResolvedCredential> {
  try {
    return { id, credential: await give(now) }
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
