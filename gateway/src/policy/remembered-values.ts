/**
 * Which values of a call name what its tool keeps for later (`contracts.*.remembers`): a path, the id of a note or a ticket. Where
 * no argument says it for sure, everything its server keeps is meant.
 */
import type { ContractConfig } from '@turnward/contract/config'
import { isObject, type JsonObject, type JsonValue } from '../core/json.ts'
import { argumentValues } from './argument-roles.ts'
import type { Contract, Label } from './types.ts'

export interface Remembers {
  /** Paths of arguments; none: everything is meant, whatever the call says. */
  readonly by: readonly (readonly string[])[]
  /** Whether what lies below a value is meant too. */
  readonly below: boolean
}

/** Values of one call; a call with more means everything. */
const mostValues = 256
const longestValue = 4096

export function compileRemembers(config: NonNullable<ContractConfig['remembers']>): Remembers {
  if (config === 'all') return { by: [], below: true }
  const { by, below } = config
  return { by: (typeof by === 'string' ? [by] : by).map((path) => path.split('.')), below }
}

/** The values, or undefined where everything is meant. */
export function rememberedValues({ by }: Remembers, args: JsonObject): readonly string[] | undefined {
  const found: string[] = []
  const areReadable = by.every(([first = '', ...path]) => {
    const value = Object.hasOwn(args, first) ? args[first] : undefined
    // What is left out names nothing; inside of what is there, something is written that has no name.
    return value === undefined || value === null || collect(value, path, found)
  })
  return areReadable && found.length > 0 ? found : undefined
}

/**
 * The label of what is written by a call that its contract has let pass: where every value needed a source, it is as trusted as the
 * sources had to be, whatever its session has read besides. Who may read it is for the session to say.
 */
export function writtenLabel({ args: roles }: Contract, args: JsonObject, label: Label): Label {
  const values = roles === undefined ? undefined : argumentValues(roles, args)
  if (values === undefined || values.length === 0) return label
  // What is only on or off says nothing.
  const told = values.filter(({ rule, text }) => rule.trust !== undefined || (text !== 'true' && text !== 'false'))
  const trust = Math.min(...told.map(({ rule }) => rule.trust ?? 0))
  return Number.isFinite(trust) && trust > label.trust ? { ...label, trust } : label
}

/** False: what it names cannot be told. */
function collect(value: JsonValue | undefined, path: readonly string[], found: string[]): boolean {
  if (Array.isArray(value)) return value.length <= mostValues && value.every((item) => collect(item, path, found))
  const [key, ...rest] = path
  if (key !== undefined) return isObject(value) && Object.hasOwn(value, key) && collect(value[key], rest, found)
  if (typeof value === 'number') found.push(String(value))
  else if (typeof value === 'string' && value.trim() !== '' && value.length <= longestValue) found.push(value)
  else return false
  return found.length <= mostValues
}
