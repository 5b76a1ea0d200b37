/** The way of virtual keys: in `authorization`, `x-api-key`, or as the access key id of a signature. A key is only as good as its principal. */
import { timingSafeEqual } from 'node:crypto'
import type { Snapshot } from '../../../config/snapshot.ts'
import type { Clock } from '../../../core/clock.ts'
import { TurnwardError } from '../../../core/error.ts'
import { sha256 } from '../../../core/hash.ts'
import type { Logger } from '../../../core/logger.ts'
import type { Principal, Scope, Within } from '../../../core/principal.ts'
import type { Store } from '../../../store/store.ts'
import type { People } from '../../people/people.ts'
import type { Identity, Way } from '../way.ts'
import { presentedCredentials } from '../presented-credentials.ts'
import { configuredKeys } from './configured-keys.ts'
import { KeyUses } from './key-uses.ts'
import { StoredKeyCache, type StoredSecret } from './stored-key-cache.ts'
import { looksLikeVirtualKey, virtualKeyHash } from './virtual-keys.ts'

export interface KeyWayOptions {
  readonly store: Pick<Store, 'keys' | 'secret'>
  readonly people: Pick<People, 'principal'>
  readonly clock: Clock
  readonly logger: Logger
}

/** What a configured and a stored key have in common once they are found. */
interface KnownKey {
  readonly id: string
  readonly principal: string
  readonly consumer: string | null
  readonly actor: string | null
  readonly expires: number | null
  readonly revoked?: number | null
  readonly credentials: ReadonlyMap<string, string>
  readonly scopes: readonly Scope[] | null
  readonly within: Within | null
  /** Until when the secret that was shown is good, where it is not that of the key any more. */
  readonly replaced?: number
}

/** What a key is good for that does not say. Nobody has the administration of the gateway by mistake. */
const usualScopes: readonly Scope[] = Object.freeze(['models', 'mcp'])

const nothing = Object.freeze({})

export function createKeyWay({ store, people, clock, logger }: KeyWayOptions): Way {
  const stored = new StoredKeyCache(clock)
  const uses = new KeyUses({ keys: store.keys, clock, logger })
  const identities = new WeakMap<Snapshot, WeakMap<KnownKey, Identity>>()

  async function findKey(presented: string, snapshot: Snapshot): Promise<KnownKey> {
    const digest = sha256(presented)
    const configured = configuredKeys(snapshot).get(digest)
    if (configured === null) {
      logger.warn({}, 'a key was refused because two keys of the configuration share its secret')
      throw new TurnwardError('auth.unknown_key', { why: 'two keys of the configuration share this secret' })
    }
    if (configured !== undefined && equalInConstantTime(configured.secret, presented)) return configured
    const key = looksLikeVirtualKey(presented) ? await stored.find(digest, () => readKey(presented)) : undefined
    if (key === undefined) throw new TurnwardError('auth.unknown_key')
    return key
  }

  // Not remembered: nobody waits, and what was revoked shall count at once.
  async function findKeyById(id: string, snapshot: Snapshot): Promise<KnownKey> {
    const configured = snapshot.keys.get(id)
    const isAlone = configured !== undefined && configuredKeys(snapshot).get(sha256(configured.secret)) === configured
    const key = configured === undefined ? await store.keys.findById(id) : isAlone ? configured : undefined
    if (key === undefined) throw new TurnwardError('auth.unknown_key', { subject: id, why: 'it is gone' })
    return key
  }

  /** On every call, cached or not: time does not wait for a cache. */
  function requireValid(key: KnownKey): void {
    if (key.revoked !== undefined && key.revoked !== null) throw new TurnwardError('auth.revoked_key', { subject: key.id })
    const now = clock.now()
    if (key.expires !== null && now >= key.expires) throw new TurnwardError('auth.expired_key', { subject: key.id })
    if (key.replaced !== undefined && now >= key.replaced)
      throw new TurnwardError('auth.revoked_key', { subject: key.id, why: 'it was rotated, and this is the secret it had before' })
  }

  async function readKey(presented: string): Promise<StoredSecret | undefined> {
    const hash = virtualKeyHash(store.secret, presented)
    const key = await store.keys.findByHash(hash)
    if (key === undefined) return undefined
    if (equalInConstantTime(key.hash, hash)) return key
    const { previous } = key
    return previous !== null && equalInConstantTime(previous.hash, hash) ? { ...key, replaced: previous.until } : undefined
  }

  /** One identity per key, snapshot and principal as it is. Keyed by the objects, so a new snapshot or a fresh read never meets an old answer. */
  function identityOf(key: KnownKey, principal: Principal, snapshot: Snapshot): Identity {
    let known = identities.get(snapshot)
    if (known === undefined) {
      known = new WeakMap()
      identities.set(snapshot, known)
    }
    let identity = known.get(key)
    if (identity?.principal !== principal) {
      const { id, consumer, actor, expires, credentials, scopes, within } = key
      const actors = actor === null ? [] : [actor]
      identity = {
        way: 'key',
        principal,
        id,
        issuer: null,
        consumer,
        actors,
        scopes: scopes ?? usualScopes,
        expires,
        claims: nothing,
        credentials,
        ...(within === null ? {} : { within }),
        later: id,
      }
      known.set(key, identity)
    }
    return identity
  }

  async function identify(key: KnownKey, snapshot: Snapshot): Promise<Identity> {
    const principal = people.principal(key.principal, snapshot)
    return identityOf(key, principal instanceof Promise ? await principal : principal, snapshot)
  }

  async function identityWith(key: KnownKey, snapshot: Snapshot): Promise<Identity> {
    try {
      return await identify(key, snapshot)
    } catch (error) {
      if (!(error instanceof TurnwardError) || error.code !== 'auth.unknown_person') throw error
      logger.warn({ key: key.id, principal: key.principal }, 'a key was refused because its principal is not known')
      throw new TurnwardError('auth.unknown_key', {
        subject: key.id,
        why: 'the principal of the key is neither in the configuration nor among the people that are known',
        fix: 'Declare the principal under `principals`, or create a key for one that is.',
      })
    }
  }

  return {
    name: 'key',
    find(presented, snapshot) {
      const { key } = presentedCredentials(presented.headers, snapshot)
      if (key === undefined) return undefined
      return findKey(key, snapshot).then((known) => {
        requireValid(known)
        if (known !== snapshot.keys.get(known.id)) uses.note(known.id)
        return identityWith(known, snapshot)
      })
    },
    async findLater(later, snapshot) {
      // What other ways leave says its way before a colon.
      if (later.includes(':')) return undefined
      const key = await findKeyById(later, snapshot)
      requireValid(key)
      return identityWith(key, snapshot)
    },
  }
}

/** Compares without saying by its duration how much agrees. The length is no secret: digests have one length, and a guess shows its own. */
function equalInConstantTime(one: string, other: string): boolean {
  const left = Buffer.from(one)
  const right = Buffer.from(other)
  return left.length === right.length && timingSafeEqual(left, right)
}
