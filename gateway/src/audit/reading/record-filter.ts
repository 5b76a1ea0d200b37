/**
 * What somebody looks for in the decision log, in two forms that agree: texts that a database finds in the text of a record, which
 * may find too much, and the test of the record itself, which decides. Pure.
 */
import type { Area } from '@turnward/contract/administration'
import type { DecisionRecord } from '@turnward/contract/decision'
import { administered, kindsOfArea } from './administered.ts'

/** All of it must be true of a record. */
export interface RecordFilter {
  readonly turn?: string | undefined
  readonly session?: string | undefined
  readonly principal?: string | undefined
  /** The actor. */
  readonly agent?: string | undefined
  readonly kind?: DecisionRecord['kind'] | undefined
  readonly type?: DecisionRecord['type'] | undefined
  readonly verdict?: DecisionRecord['verdict'] | undefined
  readonly action?: DecisionRecord['action'] | undefined
  readonly tool?: string | undefined
  readonly model?: string | undefined
  readonly upstream?: string | undefined
  /** What administrators did: to this area, or to `any`; and who it was, and a text in what it was done to. */
  readonly done?: { readonly area: Area | 'any'; readonly by?: string | undefined; readonly subject?: string | undefined } | undefined
  /** Unix milliseconds; not before. */
  readonly from?: number | undefined
  /** Unix milliseconds; before. */
  readonly to?: number | undefined
  /** Stands in one of the values. */
  readonly q?: string | undefined
}

/** Kinds whose subject is a model; of all others it is a tool, or what else a server has. */
const modelKinds: ReadonlySet<DecisionRecord['kind']> = new Set(['model_call', 'token_count', 'model_operation'])

/** Fields that are compared as they are. `action` is not among the texts: older records say it in other words. */
const plainFields = ['turn', 'session', 'principal', 'kind', 'type', 'verdict', 'upstream'] as const

export interface RecordTexts {
  /** Each stands in the text of a record as it is. */
  readonly exact: readonly string[]
  /** One of them stands in the text as it is, where there are any. */
  readonly oneOf: readonly string[]
  /** Stands in the text when ASCII letters of the text are small ones; as those of it are. */
  readonly small: string | undefined
}

/** What stands in the text of every record that matches. */
export function textsOf(filter: RecordFilter): RecordTexts {
  const subject = filter.tool ?? filter.model
  const fields = [
    ...plainFields.map((name) => [name, filter[name]] as const),
    ['actor', filter.agent] as const,
    ['subject', subject] as const,
  ]
  const { done } = filter
  return {
    exact: [
      ...fields.flatMap(([name, value]) => (value === undefined ? [] : [`"${name}":${JSON.stringify(value)}`])),
      ...(done?.by === undefined ? [] : [`:${JSON.stringify(done.by)}`]),
    ],
    oneOf: done === undefined ? [] : kindsOfArea(done.area).map((kind) => `"kind":"${kind}"`),
    small: filter.q === undefined ? undefined : asciiSmall(JSON.stringify(filter.q).slice(1, -1)),
  }
}

export function matches(record: DecisionRecord, filter: RecordFilter): boolean {
  const { action, agent, tool, model, from, to, q, done } = filter
  return (
    plainFields.every((name) => filter[name] === undefined || record[name] === filter[name]) &&
    (action === undefined || record.action === action) &&
    (agent === undefined || record.actor === agent) &&
    (tool === undefined || (record.subject === tool && !modelKinds.has(record.kind))) &&
    (model === undefined || (record.subject === model && modelKinds.has(record.kind))) &&
    (done === undefined || wasDone(record, done)) &&
    (from === undefined || record.time >= from) &&
    (to === undefined || record.time < to) &&
    (q === undefined || stands(asciiSmall(q), record))
  )
}

function wasDone(record: DecisionRecord, { area, by, subject }: NonNullable<RecordFilter['done']>): boolean {
  const found = administered(record)
  return (
    found !== undefined &&
    (area === 'any' || found.area === area) &&
    (by === undefined || found.by === by) &&
    (subject === undefined || asciiSmall(record.subject).includes(asciiSmall(subject)))
  )
}

/** In a value, not in the name of a field: those every record has. */
function stands(small: string, value: unknown): boolean {
  if (typeof value === 'string') return asciiSmall(value).includes(small)
  return typeof value === 'object' && value !== null && Object.values(value).some((part) => stands(small, part))
}

/** As databases make letters small whatever their language. */
function asciiSmall(text: string): string {
  return text.replaceAll(/[A-Z]+/g, (letters) => letters.toLowerCase())
}
