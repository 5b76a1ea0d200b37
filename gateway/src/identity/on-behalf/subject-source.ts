/**
 * Where a token of the person comes from that an issuer can be shown: what the caller came with, which is told to the issuer that
 * gave it out and to nobody else, or what signing in there has left.
 */
import type { McpServer } from '../../config/snapshot.ts'
import type { Caller } from '../../core/principal.ts'
import { personNeeded } from './link-needed.ts'
import { isIdToken, speaksForApplication, type Subject } from './subject.ts'

/** A token of the issuer that a person signed in with, renewed where it had ended; undefined where there is none. */
export interface SignedInTokens {
  of(person: string, issuer: string, type: Subject['type'], signal: AbortSignal): Promise<string | undefined>
}

/** What is wanted. */
export interface SubjectWish {
  /** Name under `identity.issuers`. */
  readonly issuer: string
  readonly type: Subject['type']
  /** Whether an application may be the subject. */
  readonly allowsApplications: boolean
}

/** Rejects with `mcp.person_needed`, which says what would do. */
export async function subjectOf(
  signedIn: SignedInTokens,
  { issuer, type, allowsApplications }: SubjectWish,
  server: McpServer,
  caller: Caller,
  signal: AbortSignal,
): Promise<Subject> {
  const { principal } = caller
  if (principal.kind === 'workload' && !allowsApplications)
    throw personNeeded(server, `\`${principal.id}\` is a workload, and this server is called for people only`)
  const shown = type === 'access_token' ? caller.subject?.revealTo(issuer) : undefined
  if (shown !== undefined) {
    if (isIdToken(shown)) throw personNeeded(server, 'an ID token was shown, which is not for calling anything')
    if (!allowsApplications && speaksForApplication(shown))
      throw personNeeded(server, 'the token that was shown speaks for an application and not for a person')
    return { token: shown, type }
  }
  const token = principal.kind === 'workload' ? undefined : await signedIn.of(principal.id, issuer, type, signal)
  if (token !== undefined) return { token, type }
  throw personNeeded(server, whyNone(issuer, caller), fixFor(issuer))
}

function whyNone(issuer: string, { subject, issuer: own }: Caller): string {
  if (subject !== undefined) return `the token that was shown is of \`${subject.issuer}\`, and \`${issuer}\` is asked here`
  if (own === null) return `a virtual key says who calls, and nothing that \`${issuer}\` could be shown`
  return `nothing is known of the person that \`${issuer}\` could be shown`
}

function fixFor(issuer: string): string {
  return `Call with a token of \`${issuer}\`, or sign in with \`${issuer}\` at this gateway first.`
}
