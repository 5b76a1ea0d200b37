/** Stopping, looking at what is stopped, lifting: for the command line and the API. */
import type { Clock } from '../../core/clock.ts'
import { TurnwardError } from '../../core/error.ts'
import { newId } from '../../core/ids.ts'
import { type Stop, stopKinds } from '../../store/stops.ts'
import type { Store } from '../../store/store.ts'

/** What an administrator asks to be stopped. */
export interface StopRequest {
  readonly kind: string
  /** Of a tool also a pattern: `mail__*`. */
  readonly name: string
  readonly reason?: string | undefined
  /** Milliseconds after which it ends by itself. */
  readonly forMs?: number | undefined
}

export interface StopService {
  /** Those that stand. */
  list(): Promise<Stop[]>
  /** Rejects with `request.invalid` or `stop.too_many`. */
  make(request: StopRequest, by: string): Promise<Stop>
  /** Lifts one by its id. Rejects with `stop.not_found`. */
  lift(id: string, by: string): Promise<Stop>
}

const longestName = 500
const longestReason = 500
const longestMs = 366 * 86_400_000

export function createStopService({ store, clock }: { readonly store: Pick<Store, 'stops'>; readonly clock: Clock }): StopService {
  return {
    list: () => store.stops.standing(clock.now()),
    async make(request, by) {
      const stop = readStop(request, by, clock.now())
      await store.stops.add(stop)
      return stop
    },
    async lift(id, by) {
      const now = clock.now()
      const stop = (await store.stops.standing(now)).find((one) => one.id === id)
      if (stop === undefined || !(await store.stops.lift(id, by, now)))
        throw new TurnwardError('stop.not_found', { subject: id.slice(0, 64) })
      return stop
    },
  }
}

function readStop({ kind, name, reason, forMs }: StopRequest, by: string, made: number): Stop {
  const known = stopKinds.find((one) => one === kind)
  if (known === undefined) throw invalid('kind', `it is one of ${stopKinds.join(', ')}`)
  if (!isLine(name, longestName)) throw invalid('name', `it is one line of 1 to ${longestName} characters`)
  if (reason !== undefined && !isLine(reason, longestReason)) throw invalid('reason', `it is one line of 1 to ${longestReason} characters`)
  if (forMs !== undefined && !(Number.isInteger(forMs) && forMs > 0 && forMs <= longestMs))
    throw invalid('for', 'it is between a second and 366 days, such as `90s`, `30m`, `1h`, `7d`')
  // Said of a pattern where there is none, it would stop nothing.
  if (known !== 'tool' && name.includes('*')) throw invalid('name', 'only tools are stopped by a pattern')
  return { id: newId('stop'), kind: known, name, reason: reason ?? null, by, made, until: forMs === undefined ? null : made + forMs }
}

function isLine(text: string, longest: number): boolean {
  return text.trim() !== '' && text.length <= longest && !/\p{Cc}/u.test(text)
}

const unitMs = { s: 1000, m: 60_000, h: 3_600_000, d: 86_400_000 } as const

/** `90s`, `30m`, `1h`, `7d` as milliseconds. Throws `request.invalid`. */
export function readDuration(text: string): number {
  const [, count = '', unit = ''] = /^(\d{1,6})([smhd])$/.exec(text) ?? []
  const found = Object.entries(unitMs).find(([name]) => name === unit)
  if (found === undefined) throw invalid('for', 'it is a time such as `90s`, `30m`, `1h`, `7d`')
  return Number(count) * found[1]
}

function invalid(subject: string, why: string): TurnwardError {
  return new TurnwardError('request.invalid', { subject, why })
}
