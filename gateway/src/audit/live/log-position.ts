/** How far somebody has read a log that grows: for each chain, up to which record. Also as the id of an event. Pure. */
import { TurnwardError } from '../../core/error.ts'

export interface LogPosition {
  /** Which log it is: two have different ones. */
  readonly log: string
  /** Highest number among the writers there were. */
  readonly lastWriter: number
  /** Writer -> number of its last record that was read. Of a writer up to `lastWriter` that is not here, everything was. */
  readonly seen: ReadonlyMap<number, number>
}

/** Chains of one position; of more, those that began first count as read. */
export const mostChains = 800
const highestWriter = 2 ** 31 - 1
const form = /^([0-9a-f]{8})\.(\d{1,10})((?:~\d{1,10}-\d{1,16}){0,800})$/

/** For a header: `log.lastWriter~writer-seq~…`. */
export function positionText({ log, lastWriter, seen }: LogPosition): string {
  const chains = [...seen].sort(([one], [other]) => one - other).slice(-mostChains)
  return `${log}.${lastWriter}${chains.map(([writer, seq]) => `~${writer}-${seq}`).join('')}`
}

/** Throws `request.invalid` for what no position says. */
export function positionIn(text: string): LogPosition {
  const [, log = '', last = '', chains = ''] = form.exec(text) ?? []
  const seen = new Map(
    chains
      .split('~')
      .slice(1)
      .map((chain) => chain.split('-').map(Number) as [number, number]),
  )
  const isOurs =
    log !== '' && Number(last) <= highestWriter && [...seen].every(([writer, seq]) => writer <= Number(last) && Number.isSafeInteger(seq))
  if (!isOurs) throw new TurnwardError('request.invalid', { subject: 'last-event-id', why: 'it is none that this feed has given' })
  return { log, lastWriter: Number(last), seen }
}

/** Up to which record of a writer was read, where the log goes on to `head`. */
export function seenOf({ lastWriter, seen }: LogPosition, writer: number, head: LogPosition): number {
  return seen.get(writer) ?? (writer > lastWriter ? 0 : (head.seen.get(writer) ?? 0))
}

/** Records between two places of one chain, both ends included. */
export interface Stretch {
  readonly writer: number
  readonly from: number
  readonly to: number
}

/** What there is from a position to where the log ends now. */
export function stretchesTo(head: LogPosition, position: LogPosition): readonly Stretch[] {
  return [...head.seen]
    .map(([writer, to]) => ({ writer, from: seenOf(position, writer, head) + 1, to }))
    .filter(({ from, to }) => from <= to)
}

export function sizeOf(stretches: readonly Stretch[]): number {
  return stretches.reduce((sum, { from, to }) => sum + to - from + 1, 0)
}

/** Whether a position can be gone on from in the log that ends at `head`. */
export function isIn(head: LogPosition, position: LogPosition): boolean {
  return (
    position.log === head.log &&
    position.lastWriter <= head.lastWriter &&
    [...position.seen].every(([writer, seq]) => seq <= (head.seen.get(writer) ?? seq))
  )
}
