/**
 * AES-256-GCM over bytes as text: nonce, content, tag, in base64url. What it is bound to is authenticated and not stored. Who
 * chooses keys and purposes stands above.
 */
import { createCipheriv, createDecipheriv, randomBytes } from 'node:crypto'

const nonceBytes = 12
const tagBytes = 16
const sealedText = /^[A-Za-z0-9_-]+$/

/** `key`: 32 bytes. */
export function sealBytes(key: Uint8Array, boundTo: Uint8Array, content: Uint8Array): string {
  const nonce = randomBytes(nonceBytes)
  const cipher = createCipheriv('aes-256-gcm', key, nonce).setAAD(boundTo)
  return Buffer.concat([nonce, cipher.update(content), cipher.final(), cipher.getAuthTag()]).toString('base64url')
}

/** The content, or undefined for anything that was not sealed under exactly this key and binding, in exactly this form. */
export function openBytes(key: Uint8Array, boundTo: Uint8Array, sealed: string): Buffer | undefined {
  if (!sealedText.test(sealed)) return undefined
  const bytes = Buffer.from(sealed, 'base64url')
  if (bytes.length < nonceBytes + tagBytes || bytes.toString('base64url') !== sealed) return undefined
  try {
    const decipher = createDecipheriv('aes-256-gcm', key, bytes.subarray(0, nonceBytes), { authTagLength: tagBytes })
    decipher.setAAD(boundTo)
    decipher.setAuthTag(bytes.subarray(-tagBytes))
    return Buffer.concat([decipher.update(bytes.subarray(nonceBytes, -tagBytes)), decipher.final()])
  } catch {
    return undefined
  }
}
