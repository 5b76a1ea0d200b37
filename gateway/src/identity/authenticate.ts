/**
 * Who is calling: from the headers of a request to a Caller, or a coded refusal. A key is only as good as its principal:
 * one the running configuration does not know calls for nobody and is refused.
 */
import { timingSafeEqual } from 'node:crypto'
import type { IncomingHttpHeaders } from 'node:http'
import type { Snapshot } from '../config/snapshot.ts'
import type { Clock } from '../core/clock.ts'
import { TurnwardError } from '../core/error.ts'
import { sha256 } from '../core/hash.ts'
import type { Logger } from '../core/logger.ts'
import type { Caller } from '../core/principal.ts'
import type { Store } from '../store/store.ts'
import { configuredKeys } from './configured-keys.ts'
import { presentedKey } from './presented-key.ts'
import { StoredKeyCache } from './stored-key-cache.ts'
import { looksLikeVirtualKey, virtualKeyHash } from './virtual-keys.ts'

export interface Authenticator {
  /**
   * The caller of a request. Rejects with `auth.missing_key`, `auth.unknown_key`, `auth.expired_key`, `auth.revoked_key`,
   * `request.invalid` (two credentials) or `store.failed`.
   */
  authenticate(headers: IncomingHttpHeaders, snapshot: Snapshot): Promise<Caller>
  /** The caller of a call that somebody asked for earlier with the key of this id: as good as the key is now. Rejects as `authenticate` does. */
  callerLater(key: string, snapshot: Snapshot): Promise<Caller>
}

export interface AuthenticatorOptions {
  readonly store: Pick<Store, 'keys' | 'secret'>
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
}

export function createAuthenticator({ store, clock, logger }: AuthenticatorOptions): Authenticator {
  const stored = new StoredKeyCache(clock)
  const callers = new WeakMap<Snapshot, WeakMap<KnownKey, Caller>>()

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
    if (key.expires !== null && clock.now() >= key.expires) throw new TurnwardError('auth.expired_key', { subject: key.id })
  }

  async function readKey(presented: string) {
    const hash = virtualKeyHash(store.secret, presented)
    const key = await store.keys.findByHash(hash)
    return key !== undefined && equalInConstantTime(key.hash, hash) ? key : undefined
  }

  /** One Caller per key and snapshot. Keyed by the objects, so a new snapshot or a fresh read never meets an old answer. */
  function callerOf(key: KnownKey, snapshot: Snapshot): Caller {
    let known = callers.get(snapshot)
    if (known === undefined) {
      known = new WeakMap()
      callers.set(snapshot, known)
    }
    let caller = known.get(key)
    if (caller === undefined) {
      const principal = snapshot.principals.get(key.principal)
      if (principal === undefined) {
        logger.warn({ key: key.id, principal: key.principal }, 'a key was refused because its principal is not configured')
        throw new TurnwardError('auth.unknown_key', {
          subject: key.id,
          why: 'the principal of the key is not in the configuration',
          fix: 'Declare the principal under `principals`, or create a key for one that is.',
        })
      }
      caller = Object.freeze({ principal, key: key.id, consumer: key.consumer, actor: key.actor, credentials: key.credentials })
      known.set(key, caller)
    }
    return caller
  }

  return {
    async authenticate(headers, snapshot) {
      const key = await findKey(presentedKey(headers, snapshot.settings.listen.ignore_credential_headers), snapshot)
      requireValid(key)
      return callerOf(key, snapshot)
    },
    async callerLater(id, snapshot) {
      const key = await findKeyById(id, snapshot)
      requireValid(key)
      return callerOf(key, snapshot)
    },
  }
}

/** Compares without saying by its duration how much agrees. The length is no secret: digests have one length, and a guess shows its own. */
function equalInConstantTime(one: string, other: string): boolean {
  const left = Buffer.from(one)
  const right = Buffer.from(other)
  return left.length === right.length && timingSafeEqual(left, right)
}
