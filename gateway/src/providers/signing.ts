/** Signatures that are a header with a secret in it, for the vendors that take one. */
import type { Credential } from '../core/credential.ts'
import type { UnsignedRequest } from './provider.ts'

const nothing: readonly string[] = []

/** `authorization: Bearer …` (RFC 6750). */
export function signWithBearer(_request: UnsignedRequest, credential: Credential): readonly string[] {
  return credential.kind === 'none' ? nothing : ['authorization', `Bearer ${credential.secret}`]
}

/** The secret alone, in a header of the vendor's. */
export function signWithHeader(name: string): (request: UnsignedRequest, credential: Credential) => readonly string[] {
  return (_request, credential) => (credential.kind === 'none' ? nothing : [name, credential.secret])
}
