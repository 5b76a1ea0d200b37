/**
 * Seals what others keep or carry for us under a secret they do not have, with the name of what is sealed bound to it, so
 * that one cannot be put in the place of another. Pure.
 */
import { hkdfSync } from 'node:crypto'
import { openBytes, sealBytes } from '../core/sealed-bytes.ts'

/** Sealed text, base64url. `name`: what it is; opening asks for the same. */
export function seal(secret: string, name: string, content: Uint8Array): string {
  return sealBytes(keyOf(secret), Buffer.from(name), content)
}

/** The content, or undefined when it was sealed under another secret or name, or was changed. */
export function unseal(secret: string, name: string, sealed: string): Buffer | undefined {
  return openBytes(keyOf(secret), Buffer.from(name), sealed)
}

function keyOf(secret: string): Buffer {
  return Buffer.from(hkdfSync('sha256', secret, 'turnward', 'sealed settings v1', 32))
}
