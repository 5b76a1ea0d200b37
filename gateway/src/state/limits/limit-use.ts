/**
 * How much of a limit is used in one scope, as plain data, and what reserving and settling make of it. Pure. Amounts are
 * whole numbers. What is reserved counts in full until it is settled; what a process that is gone had reserved counts as
 * used, because nobody can tell that it was not.
 */
import { spanAt, type LimitWindow } from '../../core/limit-window.ts'

export interface LimitUse {
  /** Begin of the window that `used` is in (Unix milliseconds). */
  readonly from: number
  readonly used: number
  /** Used in the window before that one, of a window that slides. */
  readonly before: number
  /** What processes have reserved and not settled, and until when they are known to live (Unix milliseconds). */
  readonly open: Readonly<Record<string, readonly [amount: number, until: number]>>
}

/** A limit in one scope. */
export interface Counter {
  /** Unique to limit and scope. */
  readonly key: string
  /** The most of it. */
  readonly limit: number
  readonly window: LimitWindow
  /** What runs now: it is nothing once it is over, whatever it was. */
  readonly isHeld: boolean
}

/** How a limit stands. */
export interface Standing {
  readonly used: number
  readonly limit: number
  /** Milliseconds until the window is over; Infinity for one that never is. */
  readonly resetMs: number
}

/** How long what a process has reserved stays reserved without a sign of life. */
export const leaseMs = 90_000

/** The use as it is now: windows that are over are let go, and so are processes. */
export function useAt(use: LimitUse | undefined, { window, isHeld }: Counter, now: number): LimitUse {
  const { from } = spanAt(window, now)
  if (use === undefined) return { from, used: 0, before: 0, open: {} }
  // As nearly every call finds it.
  if (use.from === from && allLive(use.open, now)) return use
  const gone = Object.entries(use.open).filter(([, [, until]]) => until <= now)
  const lost = isHeld ? 0 : gone.reduce((sum, [, [amount]]) => sum + amount, 0)
  const open = gone.length === 0 ? use.open : Object.fromEntries(Object.entries(use.open).filter(([, [, until]]) => until > now))
  const isNext = window.kind === 'sliding' && use.from === from - window.ms
  const [used, before] = use.from === from ? [use.used, use.before] : [0, isNext ? use.used : 0]
  return { from, used: used + lost, before, open }
}

function allLive(open: LimitUse['open'], now: number): boolean {
  for (const process in open) if ((open[process]?.[1] ?? 0) <= now) return false
  return true
}

/**
 * What counts now. A sliding window is taken to have been used evenly in the window before: the part of it that the last
 * so many milliseconds still reach into counts.
 */
export function standingOf(use: LimitUse, { window, limit }: Counter, now: number): Standing {
  const { to } = spanAt(window, now)
  let open = 0
  for (const process in use.open) open += use.open[process]?.[0] ?? 0
  const earlier = window.kind === 'sliding' ? (use.before * (to - now)) / window.ms : 0
  return { used: use.used + open + earlier, limit, resetMs: to - now }
}

/** Reserves if there is room for it, or whether there is or not (`force`). Undefined when there is none. */
export function reserved(
  before: LimitUse | undefined,
  counter: Counter,
  { process, amount, now, force }: { readonly process: string; readonly amount: number; readonly now: number; readonly force: boolean },
): LimitUse | undefined {
  const use = useAt(before, counter, now)
  if (!force && standingOf(use, counter, now).used + amount > counter.limit) return undefined
  return { ...use, open: withOpen(use.open, process, (use.open[process]?.[0] ?? 0) + amount, now) }
}

/** What was reserved is settled with what it came to: less of it, all of it, more of it, or nothing. */
export function settled(
  before: LimitUse | undefined,
  counter: Counter,
  { process, amount, actual, now }: { readonly process: string; readonly amount: number; readonly actual: number; readonly now: number },
): LimitUse {
  const use = useAt(before, counter, now)
  const held = use.open[process]?.[0] ?? 0
  // What was taken for lost counts as used already; what it came to is not counted twice.
  const lost = Math.max(0, amount - held)
  const used = counter.isHeld ? 0 : Math.max(0, use.used + actual - lost)
  return { ...use, used, open: withOpen(use.open, process, Math.max(0, held - amount), now) }
}

/** When what is known of the use is of no meaning any more (Unix milliseconds). `idleMs`: for what lasts as long as a session. */
export function expiryOf({ window }: Counter, now: number, idleMs: number): number {
  const least = now + 2 * leaseMs
  if (window.kind === 'whole') return Math.max(least, now + idleMs)
  const { from, to } = spanAt(window, now)
  return Math.max(least, to + (window.kind === 'sliding' ? to - from : 0))
}

function withOpen(open: LimitUse['open'], process: string, amount: number, now: number): LimitUse['open'] {
  const { [process]: _own, ...others } = open
  return amount === 0 ? others : { ...others, [process]: [amount, now + leaseMs] }
}
