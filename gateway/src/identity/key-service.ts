/** Creating, listing, rotating and revoking virtual keys, for the CLI and the API. The key itself leaves once, from `create` or `rotate`. */
import type { Snapshot } from '../config/snapshot.ts'
import { closest } from '../core/closest-name.ts'
import type { Clock } from '../core/clock.ts'
import { TurnwardError } from '../core/error.ts'
import { newId } from '../core/ids.ts'
import type { Scope, Within } from '../core/principal.ts'
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
  /** What it is good for; undefined for model calls and the MCP endpoint. */
  readonly scopes?: readonly Scope[] | undefined
  /** What it may use at most; undefined for all that its principal may. */
  readonly within?: Within | undefined
  /** Waited for once it was found good, before it is stored: to put on record that it will be. */
  readonly beforeStoring?: (() => Promise<void>) | undefined
}

export interface NewSecret {
  /** How long the secret that is replaced stays good, in milliseconds. */
  readonly overlapMs: number
  /** Unix milliseconds, or null for no expiry; undefined: as before. */
  readonly expires?: number | null | undefined
  /** Waited for once it was found good, before it is stored: to put on record that it will be. */
  readonly beforeStoring?: (() => Promise<void>) | undefined
}

/** What may be shown of a key. Times are Unix milliseconds. */
export interface KeyInfo {
  readonly id: string
  readonly prefix: string
  /** Its owner. */
  readonly principal: string
  readonly consumer: string | null
  readonly actor: string | null
  readonly credentials: Readonly<Record<string, string>>
  readonly created: number
  readonly expires: number | null
  readonly revoked: number | null
  readonly status: 'active' | 'expired' | 'revoked'
  /** Null for model calls and the MCP endpoint. */
  readonly scopes: readonly Scope[] | null
  /** Null for all that its principal may use. */
  readonly within: Within | null
  /** Until when the secret it had before is good; null where that is over. */
  readonly previousUntil: number | null
  /** To the minute; null for never. */
  readonly lastUsed: number | null
}

/** What a snapshot must know for a key to be made. */
export type KeyNames = Pick<Snapshot, 'principals' | 'credentials' | 'upstreams' | 'gateways'>

export interface KeyService {
  /** Makes a key. `key` is shown once and cannot be had again. Rejects with `request.invalid` when nobody knows what it names. */
  create(key: NewKey, snapshot: KeyNames): Promise<KeyInfo & { readonly key: string }>
  /** Keys in the store, oldest first; those of the configuration file are not among them. */
  list(): Promise<KeyInfo[]>
  /** One by id, display prefix, or the key itself. Rejects with `request.invalid`. */
  show(idOrPrefix: string): Promise<KeyInfo>
  /** Gives a key a new secret, with the same id and limits; the old one stays good for the overlap, one older than that does not. Rejects with `request.invalid`. */
  rotate(idOrPrefix: string, secret: NewSecret): Promise<KeyInfo & { readonly key: string }>
  /** Revokes by id, display prefix, or the key itself. Needs no configuration, so a broken one never keeps a leaked key alive. Rejects with `request.invalid`. */
  revoke(idOrPrefix: string): Promise<KeyInfo>
}

export interface KeyServiceOptions {
  readonly store: Pick<Store, 'keys' | 'people' | 'secret'>
  readonly clock: Clock
}

/** An old secret is not good for longer: then two keys are what is wanted. */
const longestOverlapMs = 90 * 24 * 3600 * 1000

export function createKeyService({ store, clock }: KeyServiceOptions): KeyService {
  return {
    async create(wanted, snapshot) {
      checkNames(wanted, snapshot)
      if (!snapshot.principals.has(wanted.principal) && (await store.people.find(wanted.principal)) === undefined)
        throw invalid(wanted.principal, 'there is no such principal in the configuration, nor among the people that are known')
      const now = clock.now()
      requireFuture(wanted.expires, now)
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
        scopes: wanted.scopes ?? null,
        within: wanted.within ?? null,
        previous: null,
        lastUsed: null,
      }
      await wanted.beforeStoring?.()
      await store.keys.insert(stored)
      return { ...infoOf(stored, now), key }
    },
    async list() {
      const now = clock.now()
      return (await store.keys.list()).map((key) => infoOf(key, now))
    },
    async show(idOrPrefix) {
      return infoOf(await find(store, idOrPrefix), clock.now())
    },
    async rotate(idOrPrefix, { overlapMs, expires, beforeStoring }) {
      const now = clock.now()
      const before = await find(store, idOrPrefix)
      if (before.revoked !== null) throw invalid(before.id, 'it is revoked; create another key')
      if (overlapMs < 0 || overlapMs > longestOverlapMs) throw invalid('overlap', 'it must be between 0 and 90 days')
      requireFuture(expires ?? undefined, now)
      const key = newVirtualKey()
      const hash = virtualKeyHash(store.secret, key)
      const next = { hash, prefix: displayPrefix(key), expires: expires === undefined ? before.expires : expires, until: now + overlapMs }
      await beforeStoring?.()
      if (!(await store.keys.rotate(before.id, before.hash, next))) throw invalid(before.id, 'somebody else has just rotated it')
      const { until, ...parts } = next
      return { ...infoOf({ ...before, ...parts, previous: { hash: before.hash, until } }, now), key }
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

function checkNames(wanted: NewKey, snapshot: KeyNames): void {
  for (const [upstream, credential] of Object.entries(wanted.credentials ?? {})) {
    if (!snapshot.upstreams.has(upstream)) throw invalid(upstream, 'there is no such upstream in the configuration')
    if (credential !== 'none' && !snapshot.credentials.has(credential))
      throw invalid(credential, 'there is no such credential in the configuration')
  }
  for (const gateway of wanted.within?.gateways ?? []) {
    if (gateway.includes('*') || snapshot.gateways.has(gateway)) continue
    const nearest = closest(gateway, snapshot.gateways.keys())
    throw invalid(gateway, `there is no such gateway in the configuration${nearest === undefined ? '' : `; did you mean \`${nearest}\`?`}`)
  }
}

function requireFuture(expires: number | undefined, now: number): void {
  if (expires !== undefined && !(expires > now)) throw invalid('expires', 'it must be in the future')
}

function invalid(subject: string | undefined, why: string): TurnwardError {
  return new TurnwardError('request.invalid', { subject, why, fix: 'See `turnward keys --help`.' })
}

function infoOf(key: StoredKey, now: number): KeyInfo {
  const { id, prefix, principal, consumer, actor, created, expires, revoked, scopes, within, previous, lastUsed } = key
  return {
    id,
    prefix,
    principal,
    consumer,
    actor,
    credentials: Object.fromEntries(key.credentials),
    created,
    expires,
    revoked,
    status: revoked !== null ? 'revoked' : expires !== null && expires <= now ? 'expired' : 'active',
    scopes,
    within,
    previousUntil: previous !== null && previous.until > now ? previous.until : null,
    lastUsed,
  }
}
