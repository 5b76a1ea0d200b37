/**
 * The bounded answers that may be given about a result no model reads. An answer type is fixed before the data is looked at, says
 * how much can be learnt at most, and lets nothing through that is not one of its answers: no text of the result ever is.
 */
import { asText, isObject, type JsonObject, type JsonValue } from '../../core/json.ts'
import { mostItems } from './slices.ts'

/** An answer type, checked. */
export interface AnswerType {
  /** What an answer says at most, in bits; that there is none counts as one more answer. */
  readonly bits: number
  /** What is to be answered, for the model that answers. */
  readonly wanted: string
  /** The answer in its one form; undefined for anything that is none. */
  readonly accept: (value: JsonValue | undefined) => JsonValue | undefined
}

const mostChoices = 64
const longestChoice = 100
const mostFields = 16
const mostDecimals = 6
const dayMs = 86_400_000

/** How many items of each kind there are in the data that is asked about. */
export type ItemCounts = (kind: string) => number | undefined

type Reader = (spec: JsonObject, items: ItemCounts) => AnswerType | string

const readers: Readonly<Record<string, Reader>> = {
  boolean: () => ({
    bits: bitsOf(2),
    wanted: 'true or false',
    accept: (value) => (typeof value === 'boolean' ? value : undefined),
  }),
  choice({ of }) {
    if (!Array.isArray(of) || of.length < 2 || of.length > mostChoices) return `\`of\` must be a list of 2 to ${mostChoices} texts`
    const choices = of.filter((one) => typeof one === 'string' && one !== '' && one.length <= longestChoice)
    if (choices.length !== of.length || new Set(choices).size !== of.length)
      return `\`of\` must have different texts of 1 to ${longestChoice} characters`
    return {
      bits: bitsOf(of.length),
      wanted: `one of ${JSON.stringify(of)}, exactly as written`,
      accept: (value) => (typeof value === 'string' && choices.includes(value) ? value : undefined),
    }
  },
  integer: (spec) => number(spec, 0),
  number({ decimals = 2, ...spec }) {
    const places = typeof decimals === 'number' && Number.isInteger(decimals) && decimals >= 0 && decimals <= mostDecimals
    return places ? number(spec, decimals) : `\`decimals\` must be a whole number from 0 to ${mostDecimals}`
  },
  date({ from = '1970-01-01', to = '2100-12-31' }) {
    const [first, last] = [dayOf(from), dayOf(to)]
    if (first === undefined || last === undefined || last < first) return '`from` and `to` must be dates such as 2026-01-31, in order'
    return {
      bits: bitsOf(last - first + 1),
      wanted: `a date from ${asText(from)} to ${asText(to)}, written YYYY-MM-DD`,
      accept(value) {
        const day = dayOf(value)
        return day === undefined || day < first || day > last ? undefined : (value as string)
      },
    }
  },
  item({ of }, items) {
    const count = typeof of === 'string' ? items(of) : undefined
    if (count === undefined) return '`of` must be `links`, `addresses` or `lines`'
    if (count === 0) return `there are no ${asText(of)} in it`
    return {
      // How many there are is told as well.
      bits: bitsOf(count) + bitsOf(mostItems),
      wanted: `the number of one of the ${count} ${asText(of)} of the data, counted from 1 in their order`,
      accept: (value) => (isWhole(value) && value >= 1 && value <= count ? value : undefined),
    }
  },
  fields({ fields }, items) {
    const entries = isObject(fields) ? Object.entries(fields) : []
    if (entries.length === 0 || entries.length > mostFields) return `\`fields\` must name 1 to ${mostFields} fields and their answer types`
    const types = new Map<string, AnswerType>()
    for (const [name, spec] of entries) {
      if (!/^[A-Za-z][A-Za-z0-9_]{0,39}$/.test(name)) return 'the name of a field has letters, digits and `_`, at most 40'
      if (isObject(spec) && spec.type === 'fields') return 'a field cannot have fields of its own'
      const type = readAnswerType(spec, items)
      if (typeof type === 'string') return `field \`${name}\`: ${type}`
      types.set(name, type)
    }
    return {
      bits: [...types.values()].reduce((sum, { bits }) => sum + bits, 0),
      wanted: `an object with these fields, each null where the data does not say: ${[...types].map(([name, { wanted }]) => `${name}: ${wanted}`).join('; ')}`,
      accept(value) {
        if (!isObject(value)) return undefined
        const known: JsonObject = {}
        for (const [name, type] of types) known[name] = (Object.hasOwn(value, name) ? type.accept(value[name]) : undefined) ?? null
        return known
      },
    }
  },
}

/** Reads what a caller wants to be answered with. A text says what is wrong with it; it quotes no value. */
export function readAnswerType(spec: JsonValue | undefined, items: ItemCounts): AnswerType | string {
  const type = isObject(spec) ? spec.type : undefined
  const reader = typeof type === 'string' && Object.hasOwn(readers, type) ? readers[type] : undefined
  if (reader === undefined || !isObject(spec)) return `\`type\` must be one of ${Object.keys(readers).join(', ')}`
  return reader(spec, items)
}

/** The same as a JSON Schema, for whoever asks. */
export const answerTypeSchema: JsonObject = {
  type: 'object',
  description:
    'How the question is answered: {"type":"boolean"}, {"type":"choice","of":["…","…"]}, {"type":"integer","min":0,"max":100}, {"type":"number","min":0,"max":1,"decimals":2}, {"type":"date"}, {"type":"item","of":"links|addresses|lines"} (the number of one of them), or {"type":"fields","fields":{"name":{…}}}.',
  properties: {
    type: { type: 'string', enum: Object.keys(readers) },
    of: { description: 'choice: the answers to choose among. item: links, addresses or lines.' },
    min: { type: 'number' },
    max: { type: 'number' },
    decimals: { type: 'integer' },
    from: { type: 'string' },
    to: { type: 'string' },
    fields: { type: 'object' },
  },
  required: ['type'],
}

/** Bits of one of so many answers, or of none. */
function bitsOf(answers: number): number {
  return Math.log2(answers + 1)
}

function number({ min, max }: JsonObject, decimals: number): AnswerType | string {
  const scale = 10 ** decimals
  if (typeof min !== 'number' || typeof max !== 'number' || !(min <= max)) return '`min` and `max` must be numbers, in order'
  const values = Math.floor((max - min) * scale) + 1
  if (!Number.isSafeInteger(values) || !Number.isSafeInteger(Math.trunc(max * scale)) || !Number.isSafeInteger(Math.trunc(min * scale)))
    return '`min` and `max` are too far apart'
  return {
    bits: bitsOf(values),
    wanted: `${decimals === 0 ? 'a whole number' : `a number with at most ${decimals} decimals`} from ${min} to ${max}`,
    accept(value) {
      if (typeof value !== 'number' || !Number.isFinite(value)) return undefined
      const rounded = Math.round(value * scale) / scale
      return (decimals === 0 && rounded !== value) || rounded < min || rounded > max ? undefined : rounded
    },
  }
}

function isWhole(value: JsonValue | undefined): value is number {
  return typeof value === 'number' && Number.isSafeInteger(value)
}

/** Days since 1970; undefined for what is no date. */
function dayOf(value: JsonValue | undefined): number | undefined {
  if (typeof value !== 'string' || !/^\d{4}-\d{2}-\d{2}$/.test(value)) return undefined
  const at = Date.parse(`${value}T00:00:00Z`)
  return Number.isNaN(at) || new Date(at).toISOString().slice(0, 10) !== value ? undefined : at / dayMs
}
