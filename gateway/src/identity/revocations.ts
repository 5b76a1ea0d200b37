/**
 * What is no longer good, as this process knows it: whatever one process revokes, all know within about a second, and what is
 * under way on account of it is cut. Knowing starts with everything that still matters, so a restart forgets nothing.
 */
import type { Clock } from '../core/clock.ts'
import { TurnwardError } from '../core/error.ts'
import type { Logger } from '../core/logger.ts'
import type { Revocation, RevokedKind } from '../store/revocations.ts'
import type { Store } from '../store/store.ts'
import type { LiveCalls } from './live-calls.ts'
import type { RememberedPeople } from './people/remembered-people.ts'

export interface Revocations {
  /** Revokes a key, token or session at every process. `until`: Unix milliseconds after which it cannot be valid anyway. Rejects with `store.failed`. */
  revoke(kind: Exclude<RevokedKind, 'person'>, id: string, until: number): Promise<void>
  /**
   * When it was revoked, in Unix milliseconds; undefined when it was not. A person who was shut out may be let in again: what was
   * given to them before that moment is no good, what is given after it is.
   */
  revokedAt(kind: RevokedKind, id: string): number | undefined
  /** Tells `listener` of each revocation once this process knows of it. Returns what ends that. */
  onRevoked(listener: (revocation: Revocation) => void): () => void
  /** Looks for what is new. To be called each second. Rejects with `store.failed`. */
  look(): Promise<void>
}

export interface RevocationsOptions {
  readonly store: Pick<Store, 'revocations' | 'people'>
  readonly live: LiveCalls
  readonly people: RememberedPeople
  readonly clock: Clock
  readonly logger: Logger
}

/** One that was written while another was may count as before that one. */
const overlapMs = 10_000
/** A call that began with an answer from before the revocation is under way by then. */
const cutAgainAfterMs = 2000
const sweepEveryMs = 600_000

/** Rejects with `store.failed`. */
export async function openRevocations({ store, live, people, clock, logger }: RevocationsOptions): Promise<Revocations> {
  const known = new Map<string, Revocation>()
  const listeners = new Set<(revocation: Revocation) => void>()
  let again: { readonly revocation: Revocation; readonly due: number }[] = []
  let newest = 0
  let swept = clock.monotonic()

  const nameOf = ({ kind, id }: Pick<Revocation, 'kind' | 'id'>): string => `${kind} ${id}`
  const note = (revocation: Revocation): boolean => {
    newest = Math.max(newest, revocation.at)
    const isNew = known.get(nameOf(revocation))?.at !== revocation.at
    if (isNew) known.set(nameOf(revocation), revocation)
    return isNew
  }
  for (const revocation of await store.revocations.since(0, clock.now())) note(revocation)

  const cut = ({ kind, id }: Revocation): void => {
    if (kind === 'session') return
    const ended =
      kind === 'person'
        ? live.cutPerson(id, new TurnwardError('auth.disabled', { subject: id }))
        : live.cutKey(id, new TurnwardError('auth.revoked_key', { subject: id }))
    if (ended > 0) logger.info({ kind, id, ended }, 'what was under way was cut: it is revoked')
  }
  const take = (revocation: Revocation): void => {
    if (!note(revocation)) return
    if (revocation.kind === 'person') people.forget(revocation.id)
    for (const listener of listeners) listener(revocation)
    cut(revocation)
    again.push({ revocation, due: clock.monotonic() + cutAgainAfterMs })
  }
  const cutAgain = async (): Promise<void> => {
    const now = clock.monotonic()
    const due = again.filter((one) => one.due <= now)
    if (due.length === 0) return
    again = again.filter((one) => one.due > now)
    for (const { revocation } of due) {
      // Who was let in again meanwhile has calls that are theirs.
      if (revocation.kind === 'person' && (await store.people.find(revocation.id))?.active === true) continue
      cut(revocation)
    }
  }
  const sweep = async (): Promise<void> => {
    if (clock.monotonic() - swept < sweepEveryMs) return
    swept = clock.monotonic()
    const now = clock.now()
    for (const [name, { until }] of known) if (until <= now) known.delete(name)
    await store.revocations.sweep(now)
  }

  return {
    async revoke(kind, id, until) {
      const at = await store.revocations.add({ kind, id, at: clock.now(), until })
      take({ kind, id, at, until })
    },
    revokedAt: (kind, id) => known.get(nameOf({ kind, id }))?.at,
    onRevoked(listener) {
      listeners.add(listener)
      return () => {
        listeners.delete(listener)
      }
    },
    async look() {
      await cutAgain()
      for (const revocation of await store.revocations.since(newest - overlapMs, clock.now())) take(revocation)
      await people.look()
      await sweep()
    },
  }
}
