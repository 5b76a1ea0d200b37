/** Texts to be looked at together, and the way back to where they stand. What stands in JSON is looked at as what it says, however it is escaped. */
import { isObject, type JsonObject, type JsonValue } from '../../core/json.ts'
import { parseJson } from '../../core/parse-json.ts'
import type { Place } from './guard.ts'

/** One text, as guards have left it. */
export interface TextUnit {
  readonly place: Place
  text: string
  /** It cannot be written otherwise. */
  readonly isFixed: boolean
}

type Holder = JsonObject | JsonValue[]

interface Placed extends TextUnit {
  readonly came: string
  readonly put: (text: string) => void
}

export class TextUnits {
  readonly #units: Placed[] = []
  /** JSON texts, which are written once all their values are. */
  readonly #documents: { readonly value: JsonValue; readonly units: readonly Placed[]; readonly put: (text: string) => void }[] = []

  get units(): readonly TextUnit[] {
    return this.#units
  }

  get isEdited(): boolean {
    return this.#units.some(({ text, came }) => text !== came)
  }

  /** A text that stands there as it is. */
  add(place: Place, holder: Holder, field: string | number, isFixed = false): void {
    const value = at(holder, field)
    if (typeof value === 'string' && value !== '') this.#push(place, value, isFixed, (text) => set(holder, field, text))
  }

  /** JSON text, or an object, that stands there: what its values say. What is no JSON is a text. */
  addJson(place: Place, holder: Holder, field: string | number, isFixed = false): void {
    const written = at(holder, field)
    const value = typeof written === 'string' ? valueIn(written) : written
    if (value === undefined) return this.add(place, holder, field, isFixed)
    const from = this.#units.length
    const root: JsonValue[] = [value]
    this.#addInside(place, root, 0, isFixed)
    if (typeof written !== 'string') return
    const units = this.#units.slice(from)
    this.#documents.push({ value, units, put: (text) => set(holder, field, text) })
  }

  /** The same texts stand here too, in the same order: what became of the others becomes of them. */
  take(others: TextUnits): void {
    for (const [index, unit] of this.#units.entries()) unit.text = others.#units[index]?.text ?? unit.text
  }

  /** Puts what was changed where it stands. */
  write(): void {
    for (const { text, came, put } of this.#units) if (text !== came) put(text)
    for (const { value, units, put } of this.#documents) if (units.some(({ text, came }) => text !== came)) put(JSON.stringify(value))
  }

  #addInside(place: Place, holder: Holder, field: string | number, isFixed: boolean): void {
    const value = at(holder, field)
    if (typeof value === 'string') this.add(place, holder, field, isFixed)
    else if (Array.isArray(value)) for (let index = 0; index < value.length; index += 1) this.#addInside(place, value, index, isFixed)
    else if (isObject(value))
      for (const name of Object.keys(value)) {
        // A name is text too, and one that nobody can write otherwise.
        this.#push(place, name, true, () => {})
        this.#addInside(place, value, name, isFixed)
      }
  }

  #push(place: Place, text: string, isFixed: boolean, put: (text: string) => void): void {
    this.#units.push({ place, text, came: text, isFixed, put })
  }
}

function valueIn(text: string): JsonValue | undefined {
  if (!/^\s*[{["]/.test(text)) return undefined
  try {
    return parseJson(text) as JsonValue
  } catch {
    return undefined
  }
}

function at(holder: Holder, field: string | number): JsonValue | undefined {
  return (holder as Readonly<Record<string | number, JsonValue>>)[field]
}

/** As a field of its own, whatever its name. */
function set(holder: Holder, field: string | number, value: string): void {
  Object.defineProperty(holder, field, { value, writable: true, enumerable: true, configurable: true })
}
