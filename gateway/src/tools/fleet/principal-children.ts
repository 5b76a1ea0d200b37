/**
 * The children of a server that has one for each principal (`per: principal`). Bounded in number: who comes when there are
 * enough gets the place of the child that nobody uses and that was used longest ago, or is told that all are in use. Knows
 * nothing of what a child is.
 */
import type { CancelSignal } from '../../core/cancellation.ts'
import type { Clock } from '../../core/clock.ts'
import { TurnwardError } from '../../core/error.ts'
import { waitFor } from '../connectors/cancelling.ts'
import { CallQueue } from './call-queue.ts'

export interface PrincipalChild {
  /** Requests that run in it now. */
  readonly running: number
  /** Whether it works for its owner, or is to tell him of changes. */
  readonly isUsed: boolean
  /** When (monotonic milliseconds) it was used last. */
  readonly usedAt: number
  /** Resolves when nothing of it is left. */
  close(): Promise<void>
}

export interface PrincipalChildrenOptions<Child> {
  readonly server: string
  /** How many there may be at once, those that are ending included. */
  readonly most: number
  /** One that was not used for so long is ended. */
  readonly idleMs: number
  readonly clock: Clock
  /** Makes a child that starts when it is first used, within `starts`. */
  readonly make: (starts: Pick<CallQueue, 'run'>) => Child
}

/** A server whose starts hang must not take all the places that a gateway has for starts. */
const startsAtOnce = 2

export class PrincipalChildren<Child extends PrincipalChild> {
  readonly #options: PrincipalChildrenOptions<Child>
  readonly #children = new Map<string, Child>()
  readonly #ending = new Set<Promise<void>>()
  readonly #starts = new CallQueue(startsAtOnce, Infinity, () => new TurnwardError('gateway.internal'))

  constructor(options: PrincipalChildrenOptions<Child>) {
    this.#options = options
  }

  /** Whether a request runs in any of them. */
  get isRunning(): boolean {
    return [...this.#children.values()].some(({ running }) => running > 0)
  }

  get size(): number {
    return this.#children.size
  }

  /** Those there are now. */
  get all(): readonly Child[] {
    return [...this.#children.values()]
  }

  /** The child of a principal, if he has one. */
  of(principal: string): Child | undefined {
    return this.#children.get(principal)
  }

  /** The child of a principal, made if he has none. Throws `mcp.server_busy` when all that there may be are in use. */
  take(principal: string): Child {
    const own = this.#children.get(principal)
    if (own !== undefined) return own
    if (this.#children.size >= this.#options.most) this.#makeRoom()
    // What has to go is gone before what takes its place begins.
    const isFull = this.#children.size + this.#ending.size >= this.#options.most
    const gone: Promise<unknown> = isFull ? Promise.all(this.#ending) : Promise.resolve()
    const child = this.#options.make({
      run: async <T>(signal: CancelSignal, job: () => Promise<T>): Promise<T> => {
        await waitFor(gone, signal)
        return this.#starts.run(signal, job)
      },
    })
    this.#children.set(principal, child)
    return child
  }

  /** Ends those that nobody used for too long. */
  sweep(): void {
    const { clock, idleMs } = this.#options
    const before = clock.monotonic() - idleMs
    this.endWhere((_principal, { isUsed, usedAt }) => !isUsed && usedAt <= before)
  }

  /** Ends those that are meant, with what runs in them. */
  endWhere(isMeant: (owner: string, child: Child) => boolean): void {
    for (const [owner, child] of this.#children) if (isMeant(owner, child)) this.#end(owner, child)
  }

  async close(): Promise<void> {
    this.endWhere(() => true)
    await Promise.all(this.#ending)
  }

  #makeRoom(): void {
    const unused = [...this.#children].filter(([, { isUsed }]) => !isUsed)
    const [oldest] = unused.toSorted(([, one], [, other]) => one.usedAt - other.usedAt)
    if (oldest === undefined)
      throw new TurnwardError('mcp.server_busy', {
        subject: this.#options.server,
        why: `each of the ${this.#options.most} children it may have (\`max_children\`) works for somebody else`,
        retryAfterSeconds: 5,
      })
    this.#end(...oldest)
  }

  #end(principal: string, child: Child): void {
    this.#children.delete(principal)
    const ended = child.close().catch(() => {})
    this.#ending.add(ended)
    ended.then(() => this.#ending.delete(ended)).catch(() => {})
  }
}
