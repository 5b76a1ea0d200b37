/**
 * Who is calling: from what a request presents to a Caller, or a coded refusal. Every way is asked, and what they found must
 * agree; nothing above knows which way it was.
 */
import type { Snapshot } from '../config/snapshot.ts'
import { TurnwardError } from '../core/error.ts'
import type { Caller, Scope } from '../core/principal.ts'
import { callerOf, partsOfLater } from './combining.ts'
import { challengeFor } from './oauth-server/challenge.ts'
import { createWays, type WayOptions } from './ways.ts'
import type { Identity, Presented, Way } from './ways/way.ts'

export interface Authenticator {
  /**
   * The caller of a request. `needs`: what the entrance is for. Rejects with `auth.missing_key`, `auth.unknown_key`,
   * `auth.expired_key`, `auth.revoked_key`, `auth.two_identities`, `auth.anonymous`, `auth.insufficient_scope`, `stop.stopped`, `stop.unreadable`, `config.managed_conflict`, `request.invalid` (two credentials)
   * or `store.failed`.
   */
  authenticate(presented: Presented, snapshot: Snapshot, needs: Scope): Promise<Caller>
  /** The caller of a call that somebody asked for earlier (`later` of a caller): as good as the key or person is now. Rejects as `authenticate` does. */
  callerLater(later: string, snapshot: Snapshot): Promise<Caller>
}

export interface AuthenticatorOptions extends WayOptions {
  /** What administrators have stopped: whoever is, may not go on, and may still administer. Throws or rejects with `stop.*`. */
  readonly stops?: { requireGoing(caller: Caller): Promise<void> | undefined }
}

export function createAuthenticator(options: AuthenticatorOptions): Authenticator {
  const ways = createWays(options)
  const going = (caller: Caller): Promise<void> | undefined => options.stops?.requireGoing(caller)
  return {
    async authenticate(presented, snapshot, needs) {
      const found: Identity[] = []
      try {
        for (const way of ways) {
          const identity = way.find(presented, snapshot)
          const known = identity instanceof Promise ? await identity : identity
          if (known !== undefined) found.push(known)
        }
        if (found.length === 0) throw new TurnwardError('auth.missing_key', { why: whyNothing(ways, presented, snapshot) })
        const caller = callerOf(found)
        requireScope(caller, needs, found)
        if (needs !== 'admin') {
          requireWhole(snapshot)
          await going(caller)
        }
        return caller
      } catch (error) {
        if (error instanceof TurnwardError) error.challenge = challengeFor(error, presented, snapshot, found[0]?.scopes ?? [])
        throw error
      }
    },
    async callerLater(later, snapshot) {
      const found: Identity[] = []
      for (const part of partsOfLater(later)) found.push(await findLater(ways, part, snapshot))
      const caller = callerOf(found)
      requireWhole(snapshot)
      await going(caller)
      return caller
    },
  }
}

/** Whoever may administer can mend it. */
function requireWhole({ managed }: Snapshot): void {
  if (managed.holdsCalls) throw new TurnwardError('config.managed_conflict')
}

async function findLater(ways: readonly Way[], later: string, snapshot: Snapshot): Promise<Identity> {
  for (const way of ways) {
    const identity = await way.findLater?.(later, snapshot)
    if (identity !== undefined) return identity
  }
  throw new TurnwardError('auth.unknown_key', { why: 'who asked for this is not known any more' })
}

function whyNothing(ways: readonly Way[], presented: Presented, snapshot: Snapshot): string | undefined {
  for (const way of ways) {
    const why = way.whyNothing?.(presented, snapshot)
    if (why !== undefined) return why
  }
  return undefined
}

function requireScope({ scopes, key }: Caller, needs: Scope, found: readonly Identity[]): void {
  if (scopes === null || scopes.includes(needs)) return
  const stranger = found.find(({ isAnonymous }) => isAnonymous === true)
  if (stranger !== undefined)
    throw new TurnwardError('auth.anonymous', {
      status: 403,
      subject: stranger.id,
      why: 'whom the edge in front does not know may use models, and no tools',
    })
  throw new TurnwardError('auth.insufficient_scope', { subject: key, why: `it is not good for \`${needs}\`` })
}
