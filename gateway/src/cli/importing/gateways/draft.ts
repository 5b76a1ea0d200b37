/**
 * The configuration that an import makes. An entry that the gateway would refuse is not taken into it, and what it came from is
 * then not carried over; so what was made can be used, whatever was in the other file.
 */
import { configSchema } from '@turnward/contract/config'
import { checkSafety } from '../../../config/safety.ts'
import type { ImportedVariables } from '../imported-variables.ts'
import type { DraftEntry } from './draft-entry.ts'
import type { Foreign } from './foreign-value.ts'
import { FreeNames } from './naming.ts'
import { sampled, type Samples } from './samples.ts'

export type MapSection = 'credentials' | 'upstreams' | 'guards' | 'templates' | 'transforms' | 'groups' | 'principals' | 'keys'
type ListSection = 'routes' | 'prices' | 'grants'

/** More is refused by the schema as a whole. */
const mostRules = 256
const mostPrices = 1000

const besideOthers = 'it looks at every call of the group, beside the guards that are for everybody'

export class Draft {
  readonly variables: ImportedVariables
  readonly samples: Samples
  readonly #maps = new Map<MapSection, Map<string, unknown>>()
  readonly #lists = new Map<ListSection, unknown[]>()
  readonly #rules = new Map<string, unknown>()
  readonly #names = new Map<MapSection | 'limits', FreeNames>()
  readonly #settings: Record<string, unknown> = {}
  /** Of keys. */
  readonly #secrets = new Set<unknown>()

  constructor(variables: ImportedVariables, samples: Samples) {
    this.variables = variables
    this.samples = samples
  }

  /** Takes an entry under the name that is wanted, or one like it. Returns its name; undefined when it would be refused. */
  add(section: MapSection, wanted: string, entry: DraftEntry): string | undefined {
    const name = this.#freeName(section, wanted, (other) => this.entryOf(section, other) !== undefined)
    return this.addAs(section, name, entry)
  }

  /** Takes an entry under this very name, which nobody has. */
  addAs(section: MapSection, name: string, entry: DraftEntry): string | undefined {
    if (!this.#isTaken({ [section]: { [name]: entry.value } }, entry)) return undefined
    const entries = this.#maps.get(section) ?? new Map<string, unknown>()
    entries.set(name, entry.value)
    if (section === 'keys') this.#secrets.add(sampled(entry.value['secret'], this.samples))
    this.#maps.set(section, entries)
    entry.taken(`${section}.${name}`)
    return name
  }

  /** What was taken under a name. */
  entryOf(section: MapSection, name: string): unknown {
    return this.#maps.get(section)?.get(name)
  }

  /** Lets a guard that was taken hold for every call of the principals of a group. `said`: what says that it is for them. */
  holdForGroup(guard: string, group: string, said: readonly Foreign[]): void {
    const value = this.entryOf('guards', guard)
    if (typeof value !== 'object' || value === null) return
    Object.assign(value, { groups: [group] })
    for (const from of said) from.carried(`guards.${guard}.groups`, besideOthers)
  }

  /** Whether there is a key with this secret, which then belongs to somebody. */
  isKeyTaken(secret: string): boolean {
    return this.#secrets.has(sampled(secret, this.samples))
  }

  /** Takes an item at the end of a list; false when it would be refused. */
  push(section: ListSection, entry: DraftEntry): boolean {
    const items = this.#lists.get(section) ?? []
    if (section === 'prices' && items.length >= mostPrices) {
      entry.refused(`there can be ${mostPrices} prices at most`)
      return false
    }
    if (!this.#isTaken({ [section]: [entry.value] }, entry)) return false
    entry.taken(`${section}[${items.length}]`)
    items.push(entry.value)
    this.#lists.set(section, items)
    return true
  }

  /** Takes a limit, under the name that is wanted or one like it. */
  limit(wanted: string, entry: DraftEntry): void {
    if (this.#rules.size >= mostRules) return entry.refused(`there can be ${mostRules} limits at most`)
    const name = this.#freeName('limits', wanted, (other) => this.#rules.has(other))
    const value = { name, ...entry.value }
    if (!this.#isTaken({ limits: { rules: [value] } }, entry)) return
    entry.taken(`limits.rules[${this.#rules.size}]`)
    this.#rules.set(name, value)
  }

  /** Takes settings of a section that is no list of things: `state`, `limits`, `identity`. */
  setting(section: 'state' | 'limits' | 'identity', entry: DraftEntry): void {
    const value = { ...(this.#settings[section] as object | undefined), ...entry.value }
    if (!this.#isTaken({ [section]: value }, entry)) return
    this.#settings[section] = value
    entry.taken(section)
  }

  /** Everything that was taken, in the order in which people read it. */
  config(): Readonly<Record<string, unknown>> {
    const { state, limits, identity } = this.#settings
    const map = (section: MapSection) => Object.fromEntries(this.#maps.get(section) ?? [])
    const sections = {
      version: 1,
      state,
      credentials: map('credentials'),
      upstreams: map('upstreams'),
      guards: map('guards'),
      templates: map('templates'),
      transforms: map('transforms'),
      routes: this.#lists.get('routes'),
      prices: this.#lists.get('prices'),
      limits: { ...(limits as object | undefined), ...(this.#rules.size > 0 && { rules: [...this.#rules.values()] }) },
      groups: map('groups'),
      principals: map('principals'),
      keys: map('keys'),
      grants: this.#lists.get('grants'),
      identity,
    }
    return Object.fromEntries(
      Object.entries(sections).filter(
        ([, value]) => value !== undefined && (typeof value !== 'object' || Object.keys(value as object).length > 0),
      ),
    )
  }

  #freeName(section: MapSection | 'limits', wanted: string, isThere: (name: string) => boolean): string {
    const names = this.#names.get(section) ?? new FreeNames()
    this.#names.set(section, names)
    return names.of(wanted, isThere)
  }

  #isTaken(part: object, entry: DraftEntry): boolean {
    const why = refusal(sampled(part, this.samples))
    if (why === undefined) return true
    entry.refused(`it would be refused here: ${why}`)
    return false
  }
}

/** What the gateway would say against a part of a configuration; messages of the schema quote nothing of it. */
function refusal(part: unknown): string | undefined {
  const result = configSchema.safeParse(part)
  if (!result.success) {
    const [issue] = result.error.issues
    return `${String(issue?.path.at(-1) ?? '')} ${issue?.message ?? ''}`.trim()
  }
  let found: string | undefined
  checkSafety(result.data, (path, message) => (found ??= `${String(path.at(-1))} ${message}`))
  return found
}
