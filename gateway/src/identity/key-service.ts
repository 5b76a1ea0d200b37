/** Creating, listing and revoking virtual keys, for the CLI and later the API. The key itself leaves once, from `create`. */
import type { Snapshot } from '../config/snapshot.ts'
import type { Clock } from '../core/clock.ts'
import { TurnwardError } from '../core/error.ts'
import { newId } from '../core/ids.ts'
import type { StoredKey } from '../store/keys.ts'
import type { Store } from '../store/store.ts'
import { displayPrefix, looksLikeVirtualKey, newVirtualKey, virtualKeyHash } from './ways/key/virtual-keys.ts'

export interface NewKey {
  readonly principal: string
  readonly consumer?: string | undefined
  readonly actor?: string | undefined
  /** Unix milliseconds; undefined for no expiry. */
  readonly expires?: number | undefined
  /** Upstream name -> credential id. */
  readonly credentials?: Readonly<Record<string, string>> | undefined
}

/** What may be shown of a key. Times are Unix milliseconds. */
export interface KeyInfo {
  readonly id: string
  readonly prefix: string
  readonly principal: string
  readonly consumer: string | null
  readonly actor: string | null
  readonly credentials: Readonly<Record<string, string>>
  readonly created: number
  readonly expires: number | null
  readonly revoked: number | null
  readonly status: 'active' | 'expired' | 'revoked'
}

export interface KeyService {
  /** Makes a key. `key` is shown once and cannot be had again. Rejects with `request.invalid` when the snapshot does not know what it names. */
  create(key: NewKey, snapshot: Pick<Snapshot, 'principals' | 'credentials' | 'upstreams'>): Promise<KeyInfo & { readonly key: string }>
  /** Keys in the store, oldest first; those of the configuration file are not among them. */
  list(): Promise<KeyInfo[]>
  /** Revokes by id, display prefix, or the key itself. Needs no configuration, so a broken one never keeps a leaked key alive. Rejects with `request.invalid`. */
  revoke(idOrPrefix: string): Promise<KeyInfo>
}

export function createKeyService({ store, clock }: { readonly store: Pick<Store, 'keys' | 'secret'>; readonly clock: Clock }): KeyService {
  return {
    async create(wanted, snapshot) {
      checkNames(wanted, snapshot)
      const now = clock.now()
      if (wanted.expires !== undefined && !(wanted.expires > now)) throw invalid('expires', 'it must be in the future')
      const key = newVirtualKey()
      const stored: StoredKey = {
        id: newId('key'),
        hash: virtualKeyHash(store.secret, key),
        prefix: displayPrefix(key),
        principal: wanted.principal,
        consumer: wanted.consumer ?? null,
        actor: wanted.actor ?? null,
        credentials: new Map(Object.entries(wanted.credentials ?? {})),
        created: now,
        expires: wanted.expires ?? null,
        revoked: null,
      }
      await store.keys.insert(stored)
      return { ...infoOf(stored, now), key }
    },
    async list() {
      const now = clock.now()
      return (await store.keys.list()).map((key) => infoOf(key, now))
    },
    async revoke(idOrPrefix) {
      const { id } = await find(store, idOrPrefix)
      await store.keys.revoke(id, clock.now())
      const revoked = await store.keys.findById(id)
      if (revoked === undefined) throw invalid(idOrPrefix, 'there is no such key')
      return infoOf(revoked, clock.now())
    },
  }
}

async function find(store: Pick<Store, 'keys' | 'secret'>, idOrPrefix: string): Promise<StoredKey> {
  // Somebody who found a leaked key has only the key.
  const isKey = looksLikeVirtualKey(idOrPrefix)
  const exact = isKey ? await store.keys.findByHash(virtualKeyHash(store.secret, idOrPrefix)) : await store.keys.findById(idOrPrefix)
  if (exact !== undefined) return exact
  const alike = (await store.keys.list()).filter((key) => key.prefix === idOrPrefix)
  const [only, another] = alike
  if (only === undefined) throw invalid(undefined, 'there is no such key')
  if (another !== undefined) throw invalid(idOrPrefix, 'several keys begin like this; give the id')
  return only
}

function checkNames(wanted: NewKey, snapshot: Pick<Snapshot, 'principals' | 'credentials' | 'upstreams'>): void {
  if (!snapshot.principals.has(wanted.principal)) throw invalid(wanted.principal, 'there is no such principal in the configuration')
  for (const [upstream, credential] of Object.entries(wanted.credentials ?? {})) {
    if (!snapshot.upstreams.has(upstream)) throw invalid(upstream, 'there is no such upstream in the configuration')
    if (credential !== 'none' && !snapshot.credentials.has(credential))
      throw invalid(credential, 'there is no such credential in the configuration')
  }
}

function invalid(subject: string | undefined, why: string): TurnwardError {
  return new TurnwardError('request.invalid', { subject, why, fix: 'See `turnward keys --help`.' })
}

function infoOf(key: StoredKey, now: number): KeyInfo {
  const { id, prefix, principal, consumer, actor, created, expires, revoked } = key
  const status = revoked !== null ? 'revoked' : expires !== null && expires <= now ? 'expired' : 'active'
  return { id, prefix, principal, consumer, actor, credentials: Object.fromEntries(key.credentials), created, expires, revoked, status }
}
