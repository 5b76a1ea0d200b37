/**
 * What administrators have stopped, as this process knows it: at most a second old, or it is read again before anything goes on. A
 * stop holds back what begins and ends what is under way. When it cannot be read, nothing goes on.
 */
import type { DecisionLog } from '../../audit/decision-log.ts'
import type { Snapshot } from '../../config/snapshot.ts'
import type { Clock } from '../../core/clock.ts'
import { asTurnwardError, TurnwardError } from '../../core/error.ts'
import type { Logger } from '../../core/logger.ts'
import type { Caller } from '../../core/principal.ts'
import type { LiveCalls } from '../../identity/live-calls.ts'
import { compilePattern } from '../../policy/patterns.ts'
import type { Stop, StopKind } from '../../store/stops.ts'
import type { Store } from '../../store/store.ts'
import { recordOfStop } from './recording-stop.ts'
import { nothingStands, type StandingStops, standingStops } from './standing-stops.ts'

export interface Stops {
  /** What stands now. The same object while nothing changes. */
  readonly now: StandingStops
  /** Resolves when the caller may go on; undefined when that is known at once. Throws or rejects with `stop.stopped` or `stop.unreadable`. */
  requireGoing(caller: Pick<Caller, 'principal' | 'actors'>): Promise<void> | undefined
  /** Looks for what is new. To be called each second. Rejects with `store.failed`. */
  look(): Promise<void>
}

export interface StopsOptions {
  readonly store: Pick<Store, 'stops'>
  readonly live: LiveCalls
  readonly log: Pick<DecisionLog, 'appendDurably'>
  readonly snapshot: () => Pick<Snapshot, 'revision'>
  readonly clock: Clock
  readonly logger: Logger
}

/** What was read longer ago than this is read again before a call goes on. */
const freshForMs = 3000
const keptAfterEndMs = 30 * 86_400_000
const sweepEveryMs = 600_000

/** Rejects with `store.failed`. */
export async function openStops({ store, live, log, snapshot, clock, logger }: StopsOptions): Promise<Stops> {
  let known: StandingStops = nothingStands
  let read = clock.monotonic()
  let swept = read
  let looking: Promise<void> | undefined

  const record = async (): Promise<void> => {
    for (const done of await store.stops.unrecorded()) {
      if (!(await store.stops.claim(done.stop.id, done.what))) continue
      try {
        await log.appendDurably(recordOfStop(done, { time: clock.now(), revision: snapshot().revision }))
      } catch (error) {
        // What was stopped stays so; whoever can write puts it on record.
        await store.stops.unclaim(done.stop.id, done.what)
        logger.error({ code: asTurnwardError(error).code, stop: done.stop.id }, 'a stop could not be put on record')
      }
    }
  }
  const look = async (): Promise<void> => {
    const began = clock.monotonic()
    const all = await store.stops.standing(clock.now())
    if (!isSame(all, known.all)) known = standingStops(all)
    read = began
    // Also those of before: what began on an older answer is under way by now.
    for (const stop of known.all) {
      const ended = cut(live, stop)
      if (ended > 0) logger.info({ kind: stop.kind, stop: stop.id, ended }, 'what was under way was cut: it is stopped')
    }
    await record()
    if (began - swept < sweepEveryMs) return
    swept = began
    await store.stops.sweep(clock.now() - keptAfterEndMs)
  }
  // Whoever asks while somebody looks waits for that; a look that fails is nobody's answer but theirs who waited.
  const lookOnce = (): Promise<void> => (looking ??= look().finally(() => (looking = undefined)))
  const refuse = (caller: Pick<Caller, 'principal' | 'actors'>): void => {
    const kind = known.ofCaller(caller)
    if (kind !== undefined) throw stopped(kind)
  }
  await look()
  return {
    get now() {
      return known
    },
    requireGoing(caller) {
      if (clock.monotonic() - read < freshForMs) {
        refuse(caller)
        return undefined
      }
      return lookOnce().then(
        () => refuse(caller),
        (cause: unknown) => {
          throw new TurnwardError('stop.unreadable', { cause })
        },
      )
    },
    look: lookOnce,
  }
}

/** Says what is stopped and whom to ask, never by whom or why: a stranger may read it. */
export function stopped(kind: StopKind): TurnwardError {
  return new TurnwardError('stop.stopped', { subject: kind })
}

/** Ends everything under way that a stop is about. Returns how much that was. */
function cut(live: LiveCalls, { kind, name }: Stop): number {
  const reason = stopped(kind)
  if (kind === 'principal') return live.cutPerson(name, reason)
  if (kind !== 'tool' || !name.includes('*')) return live.cut(`${kind} ${name}`, reason)
  const matches = compilePattern(`tool ${name}`)
  return live.names().reduce((ended, one) => ended + (matches(one) ? live.cut(one, reason) : 0), 0)
}

function isSame(one: readonly Stop[], other: readonly Stop[]): boolean {
  return one.length === other.length && one.every(({ id }, at) => id === other[at]?.id)
}
