/**
 * Remembers the keys of the JSON objects a scan is inside of, and refuses a key that an object has already.
 * Keys are compared by a hash of their folded letters first, so that ordinary keys are never made into strings.
 */
import { TurnwardError } from '../../core/error.ts'

/** Beyond this many keys an object gets a set: comparing each with each would let a body cost quadratic time. */
const smallObject = 24

/** Room for keys that is kept from one text to the next. */
const keptKeys = 4096

/** Lengths of the names the scan asks for; other keys are never made into strings. */
const shortestOpenName = 4
const longestOpenName = 20

export class KeyFrames {
  /** A key seen so far was written with an escape. */
  hasEscapes = false
  #text = ''
  /** Names that may stand in one spelling only, and what their other spellings come to. */
  #guarded: ReadonlySet<string> = new Set()
  #folded: ReadonlySet<string> = new Set()
  /** Hashes of those of them that have capitals: without one they are another spelling too. */
  #capitals: ReadonlySet<number> = new Set()
  #hashes = new Int32Array(128)
  #starts = new Int32Array(128)
  #ends = new Int32Array(128)
  #count = 0
  /** Where the keys of each open object begin. */
  readonly #bases: number[] = []
  readonly #sets: (Set<string> | undefined)[] = []

  /** Begins a new text. One object serves scan after scan, because a scan is never interrupted by another. */
  reset(text: string, guarded: ReadonlySet<string>): void {
    this.#text = text
    if (this.#guarded !== guarded) {
      this.#guarded = guarded
      this.#folded = new Set([...guarded].map(fold))
      this.#capitals = new Set([...guarded].filter((name) => fold(name) !== name).map((name) => hashOf(fold(name))))
    }
    this.#count = 0
    this.#bases.length = 0
    this.#sets.length = 0
    this.hasEscapes = false
    if (this.#hashes.length > keptKeys) {
      this.#hashes = new Int32Array(128)
      this.#starts = new Int32Array(128)
      this.#ends = new Int32Array(128)
    }
  }

  open(): void {
    this.#bases.push(this.#count)
    this.#sets.push(undefined)
  }

  close(): void {
    this.#count = this.#bases.pop() ?? 0
    this.#sets.pop()
  }

  /**
   * Takes the key between two quotes. `isOpen`: names that differ only by case are two names. Returns the key when it
   * may be one that matters to the scan. Throws `request.ambiguous_key`.
   */
  add(start: number, end: number, isOpen: boolean): string | undefined {
    const text = this.#text
    let hash = 0
    let isPlain = true
    let hasCapital = false
    for (let at = start; at < end; at++) {
      const code = text.charCodeAt(at)
      if (code > 0x7e || code === 0x5c) {
        isPlain = false
        break
      }
      const isCapital = code >= 0x41 && code <= 0x5a
      hasCapital ||= isCapital
      hash = (Math.imul(hash, 31) + (isCapital ? code + 32 : code)) | 0
    }
    if (!isPlain) hash = hashOf(fold(this.#decode(start, end)))
    const length = end - start
    if (!isOpen && (!isPlain || (length === 9 && text.charCodeAt(start) === 0x5f)) && this.#decode(start, end) === '__proto__')
      throw ambiguous('__proto__')
    if (!isOpen && (hasCapital || !isPlain || this.#capitals.has(hash))) this.#refuseMisspelt(start, end)

    const base = this.#bases[this.#bases.length - 1] ?? 0
    const set = this.#sets[this.#sets.length - 1]
    if (set !== undefined) {
      const name = this.#comparable(start, end, isOpen)
      if (set.has(name)) throw ambiguous(name)
      set.add(name)
    } else {
      for (let other = base; other < this.#count; other++) {
        if (this.#hashes[other] === hash) this.#refuseEqual(other, start, end, isOpen)
      }
      this.#append(hash, start, end)
      if (this.#count - base > smallObject) this.#sets[this.#sets.length - 1] = this.#asSet(base, isOpen)
    }
    const matters = !isOpen && isPlain && length >= shortestOpenName && length <= longestOpenName
    return matters ? text.slice(start, end) : undefined
  }

  /** A field we read, in another spelling: we would take it for absent, and a reader that ignores case would not. */
  #refuseMisspelt(start: number, end: number): void {
    const name = this.#decode(start, end)
    if (!this.#guarded.has(name) && this.#folded.has(fold(name))) throw ambiguous(name)
  }

  #refuseEqual(other: number, start: number, end: number, isOpen: boolean): void {
    const name = this.#comparable(start, end, isOpen)
    if (this.#comparable(this.#starts[other] ?? 0, this.#ends[other] ?? 0, isOpen) === name) throw ambiguous(name)
  }

  #asSet(base: number, isOpen: boolean): Set<string> {
    const set = new Set<string>()
    for (let at = base; at < this.#count; at++) set.add(this.#comparable(this.#starts[at] ?? 0, this.#ends[at] ?? 0, isOpen))
    this.#count = base
    return set
  }

  #append(hash: number, start: number, end: number): void {
    if (this.#count === this.#hashes.length) {
      this.#hashes = doubled(this.#hashes)
      this.#starts = doubled(this.#starts)
      this.#ends = doubled(this.#ends)
    }
    this.#hashes[this.#count] = hash
    this.#starts[this.#count] = start
    this.#ends[this.#count] = end
    this.#count++
  }

  #comparable(start: number, end: number, isOpen: boolean): string {
    const name = this.#decode(start, end)
    return isOpen ? name : fold(name)
  }

  #decode(start: number, end: number): string {
    const raw = this.#text.slice(start, end)
    if (!raw.includes('\\')) return raw
    this.hasEscapes = true
    try {
      return JSON.parse(`"${raw}"`) as string
    } catch {
      throw new TurnwardError('request.malformed', { why: 'it is not JSON' })
    }
  }
}

/**
 * One form for all spellings that some reader may take for the same key: compatibility characters and letter case.
 * Upper case comes first because it joins what lower case leaves apart (ß and ss, ς and σ, ı and i).
 */
function fold(name: string): string {
  if (asciiOnly.test(name)) return name.toLowerCase()
  return name.normalize('NFKC').toUpperCase().toLowerCase().normalize('NFKC')
}

// eslint-disable-next-line no-control-regex -- the whole of ASCII is meant
const asciiOnly = /^[\x00-\x7e]*$/

function hashOf(name: string): number {
  let hash = 0
  for (let at = 0; at < name.length; at++) hash = (Math.imul(hash, 31) + name.charCodeAt(at)) | 0
  return hash
}

function doubled(array: Int32Array<ArrayBuffer>): Int32Array<ArrayBuffer> {
  const larger = new Int32Array(array.length * 2)
  larger.set(array)
  return larger
}

const plainName = /^[A-Za-z_][A-Za-z0-9_-]{0,63}$/

function ambiguous(name: string): TurnwardError {
  const why =
    name === '__proto__'
      ? 'this key is not accepted'
      : 'an object has this key twice, or in a spelling that another reader may take for a documented field'
  return new TurnwardError('request.ambiguous_key', { ...(plainName.test(name) ? { subject: name } : {}), why })
}
