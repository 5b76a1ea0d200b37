/**
 * Which provider credential a call runs with: the caller's own before anybody else's. A mapping that names something
 * unknown is an error and never a reason to fall back to a broader credential.
 */
import type { Snapshot } from '../config/snapshot.ts'
import { TurnwardError } from '../core/error.ts'
import type { Caller } from '../core/principal.ts'

/** `id` goes into the decision, `secret` to the upstream. `none` sends no credential. */
export interface ResolvedCredential {
  readonly id: string
  readonly secret: string | undefined
}

const noCredential: ResolvedCredential = { id: 'none', secret: undefined }

/**
 * The credential for an upstream, from the first that maps one: the key, the principal, the principal's groups in their
 * order, the upstream itself. Throws `upstream.credential` when nobody does or the mapping names no known credential.
 */
export function resolveCredential(snapshot: Snapshot, caller: Caller, upstreamName: string): ResolvedCredential {
  const upstream = snapshot.upstreams.get(upstreamName)
  if (upstream === undefined)
    throw new TurnwardError('upstream.credential', { subject: upstreamName, why: 'the upstream is not configured' })
  const id =
    caller.credentials.get(upstreamName) ??
    caller.principal.credentials.get(upstreamName) ??
    groupCredential(snapshot, caller, upstreamName) ??
    upstream.config.credential
  if (id === 'none') return noCredential
  if (id === undefined) {
    if (upstream.config.kind === 'scripted') return noCredential
    throw new TurnwardError('upstream.credential', {
      subject: upstreamName,
      why: `neither the key, ${caller.principal.id}, its groups nor the upstream map one`,
    })
  }
  const credential = snapshot.credentials.get(id)
  if (credential !== undefined) return { id: credential.id, secret: credential.secret }
  throw new TurnwardError('upstream.credential', {
    subject: upstreamName,
    why: `the credential ${id} is mapped and not configured`,
    fix: 'Declare it under `credentials`, or correct the mapping.',
  })
}

function groupCredential(snapshot: Snapshot, caller: Caller, upstreamName: string): string | undefined {
  for (const group of caller.principal.groups) {
    const id = snapshot.groupCredentials.get(group)?.get(upstreamName)
    if (id !== undefined) return id
  }
  return undefined
}
