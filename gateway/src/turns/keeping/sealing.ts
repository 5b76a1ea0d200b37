/** Seals what is kept, for the key it is kept under: whoever reads the place reads nothing, and can put nothing in another place. */
import { hkdfSync } from 'node:crypto'
import { openBytes, sealBytes } from '../../core/sealed-bytes.ts'

export function seal(secret: Buffer, key: string, bytes: Uint8Array): string {
  return sealBytes(sealingKey(secret), Buffer.from(key), bytes)
}

/** Undefined for what was not sealed for this key. */
export function unseal(secret: Buffer, key: string, sealed: string): Buffer | undefined {
  return openBytes(sealingKey(secret), Buffer.from(key), sealed)
}

const sealingKeys = new WeakMap<Buffer, Buffer>()

function sealingKey(secret: Buffer): Buffer {
  let key = sealingKeys.get(secret)
  if (key === undefined) {
    key = Buffer.from(hkdfSync('sha256', secret, 'turnward', 'kept responses v1', 32))
    sealingKeys.set(secret, key)
  }
  return key
}
