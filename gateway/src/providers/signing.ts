/** Signatures that are a header with a secret in it, for the vendors that take one. */
import { TurnwardError } from '../core/error.ts'
import type { Credential } from '../core/credential.ts'
import type { UnsignedRequest } from './provider.ts'

const nothing: readonly string[] = []

/** `authorization: Bearer …` (RFC 6750). */
export function signWithBearer(_request: UnsignedRequest, credential: Credential): readonly string[] {
  return credential.kind === 'none' ? nothing : ['authorization', `Bearer ${secretOf(credential)}`]
}

/** The secret alone, in a header of the vendor's. */
export function signWithHeader(name: string): (request: UnsignedRequest, credential: Credential) => readonly string[] {
  return (_request, credential) => (credential.kind === 'none' ? nothing : [name, secretOf(credential)])
}

/** Keys to sign with are no secret to send: a mapping that gives them to another vendor is refused before they get there. */
export function secretOf(credential: Exclude<Credential, { kind: 'none' }>): string {
  if (credential.kind === 'secret') return credential.secret
  throw new TurnwardError('upstream.credential', {
    subject: credential.kind,
    why: 'the upstream takes a secret, and the credential is keys to sign with',
    fix: 'Map a credential with a `secret` to it.',
  })
}
