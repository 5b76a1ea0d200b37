/**
 * What data keys are sealed with: a key of the configuration, a key that a transit engine keeps, or one that is made of the
 * secret of the installation. Each has an id, which is stored beside what it has sealed.
 */
import { hkdfSync } from 'node:crypto'
import type { Config } from '@turnward/contract/config'
import { TurnwardError } from '../../core/error.ts'
import { sha256 } from '../../core/hash.ts'
import { openBytes, sealBytes } from '../../core/sealed-bytes.ts'
import { transitKey } from './transit-key.ts'

/** Seals data keys, 32 bytes each. `boundTo`: what the sealed text belongs to. */
export interface SealingKey {
  readonly id: string
  seal(dataKey: Buffer, boundTo: string): Promise<string> | string
  /** Undefined for what it has not sealed, or not for this. Rejects with `vault.unreachable` where it cannot be asked. */
  open(sealed: string, boundTo: string): Promise<Buffer | undefined> | Buffer | undefined
}

export interface SealingKeys {
  /** Seals from now on. */
  readonly current: SealingKey
  readonly byId: ReadonlyMap<string, SealingKey>
}

/** `secret`: that of the installation, for one that has configured no key. */
export function sealingKeys(settings: Config['identity']['vault'], secret: Uint8Array): SealingKeys {
  const own = localKey(Buffer.from(hkdfSync('sha256', secret, 'turnward', 'vault v1', 32)), 'installation')
  const configured = settings?.key === undefined ? undefined : configuredKey(settings.key)
  const transit = settings?.transit === undefined ? undefined : transitKey(settings.transit)
  const all = [own, ...(settings?.previous_keys ?? []).map(configuredKey), configured, transit].filter((key) => key !== undefined)
  return { current: transit ?? configured ?? own, byId: new Map(all.map((key) => [key.id, key])) }
}

function configuredKey(text: string): SealingKey {
  const key = /^[0-9a-f]{64}$/i.test(text) ? Buffer.from(text, 'hex') : Buffer.from(text, 'base64')
  if (key.length !== 32) throw new TurnwardError('config.invalid', { subject: 'identity.vault.key', why: 'it is not 32 bytes' })
  // Says which key it was without saying anything of it.
  return localKey(key, `key:${sha256(Buffer.concat([Buffer.from('id of a sealing key'), key])).slice(0, 16)}`)
}

function localKey(key: Buffer, id: string): SealingKey {
  return {
    id,
    seal: (dataKey, boundTo) => sealBytes(key, Buffer.from(boundTo), dataKey),
    open: (sealed, boundTo) => openBytes(key, Buffer.from(boundTo), sealed),
  }
}
