/**
 * Servers whose configuration was dropped or changed: each runs on until the requests that began on a snapshot with it
 * have ended, and its calls with them. A request that never ends keeps no server for longer than a while.
 */
import type { Snapshot } from '../../config/snapshot.ts'
import type { ServerSlot } from './server-slot.ts'

/** How long a request that does not end may keep a server nobody configures any more. Calls have deadlines of their own. */
const longestMs = 30_000

interface Retired {
  readonly slot: ServerSlot
  readonly deadline: NodeJS.Timeout
  isLate: boolean
}

export class RetiredServers {
  readonly #holds = new Map<Snapshot, number>()
  readonly #retired = new Map<ServerSlot, Retired>()
  readonly #end: (slot: ServerSlot) => void
  readonly #isRunning: (slot: ServerSlot) => boolean

  /** `end` is called once for a slot that nothing needs any more. `isRunning`: whether a call runs in it. */
  constructor(end: (slot: ServerSlot) => void, isRunning = (slot: ServerSlot): boolean => slot.running > 0) {
    this.#end = end
    this.#isRunning = isRunning
  }

  /** Keeps the servers of a snapshot until the returned function is called. */
  hold(snapshot: Snapshot): () => void {
    this.#holds.set(snapshot, (this.#holds.get(snapshot) ?? 0) + 1)
    let isHeld = true
    return () => {
      if (!isHeld) return
      isHeld = false
      const left = (this.#holds.get(snapshot) ?? 1) - 1
      if (left > 0) this.#holds.set(snapshot, left)
      else this.#holds.delete(snapshot)
      if (left === 0 && this.#retired.size > 0) this.#review()
    }
  }

  has(slot: ServerSlot): boolean {
    return this.#retired.has(slot)
  }

  /** Ends the slot as soon as nothing needs it, which may be now. */
  add(slot: ServerSlot): void {
    if (this.#retired.has(slot)) return
    const late = (): void => {
      const retired = this.#retired.get(slot)
      if (retired !== undefined) this.#reviewOne({ ...retired, isLate: true })
    }
    const retired = { slot, isLate: false, deadline: setTimeout(late, longestMs) }
    retired.deadline.unref()
    this.#reviewOne(retired)
  }

  /** The configuration has the server again, before it ended. */
  takeBack(slot: ServerSlot): void {
    clearTimeout(this.#retired.get(slot)?.deadline)
    this.#retired.delete(slot)
  }

  /** A slot has no call left. */
  idle(slot: ServerSlot): void {
    const retired = this.#retired.get(slot)
    if (retired !== undefined) this.#reviewOne(retired)
  }

  #review(): void {
    for (const retired of this.#retired.values()) this.#reviewOne(retired)
  }

  #reviewOne(retired: Retired): void {
    const { slot, isLate, deadline } = retired
    this.#retired.set(slot, retired)
    if (this.#isRunning(slot) || (!isLate && this.#isHeld(slot))) return
    clearTimeout(deadline)
    this.#retired.delete(slot)
    this.#end(slot)
  }

  #isHeld({ server }: ServerSlot): boolean {
    return [...this.#holds.keys()].some(({ servers }) => servers.get(server.name)?.digest === server.digest)
  }
}
