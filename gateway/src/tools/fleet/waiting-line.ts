/**
 * A bounded line in which owners take turns, so that nobody waits for all that somebody else has brought. Within one owner first
 * come, first served. When it is full, whoever has the most in it gives way to somebody who has less.
 */
export interface Place {
  /** It is its turn. */
  readonly go: () => void
  /** It has to leave for somebody else. */
  readonly giveWay: () => void
}

export class WaitingLine {
  readonly #room: number
  /** By owner; the owner whose turn is next is first. */
  readonly #places = new Map<string, Place[]>()
  #size = 0

  constructor(room: number) {
    this.#room = room
  }

  /** False when there is no room for this owner. */
  add(owner: string, place: Place): boolean {
    if (this.#size >= this.#room && !this.#makeRoom(owner)) return false
    const own = this.#places.get(owner)
    if (own === undefined) this.#places.set(owner, [place])
    else own.push(place)
    this.#size += 1
    return true
  }

  /** The next one, which leaves the line. */
  take(): Place | undefined {
    const [first] = this.#places
    if (first === undefined) return undefined
    const [owner, own] = first
    const place = own.shift()
    this.#size -= 1
    this.#places.delete(owner)
    if (own.length > 0) this.#places.set(owner, own)
    return place
  }

  /** It does not wait any more. */
  remove(owner: string, place: Place): void {
    const own = this.#places.get(owner)
    const at = own?.indexOf(place) ?? -1
    if (own === undefined || at === -1) return
    own.splice(at, 1)
    this.#size -= 1
    if (own.length === 0) this.#places.delete(owner)
  }

  #makeRoom(owner: string): boolean {
    let most: readonly [string, Place[]] | undefined
    for (const entry of this.#places) if (entry[1].length > (most?.[1].length ?? 0)) most = entry
    const own = this.#places.get(owner)?.length ?? 0
    // Whoever would have as much as the other afterwards takes no place from him.
    if (most === undefined || most[1].length <= own + 1) return false
    const last = most[1].at(-1)
    if (last === undefined) return false
    this.remove(most[0], last)
    last.giveWay()
    return true
  }
}
