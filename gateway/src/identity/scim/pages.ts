/** Lists of resources: filters, pages, and the attributes that were asked for (RFC 7644, section 3.4.2). */
import { isObject, type JsonObject } from '../../core/json.ts'
import { keyIn, readAttributePath, valueIn, withoutSchema } from './attributes.ts'
import { readFilter, type Filter } from './filter.ts'
import { badRequest } from './scim-error.ts'

export interface ListQuery {
  readonly filter: Filter | undefined
  /** From 1. */
  readonly startIndex: number
  readonly count: number
  readonly shown: Projection
}

/** Which attributes are shown. */
export interface Projection {
  readonly only: readonly string[] | undefined
  readonly without: readonly string[]
}

const usualCount = 100
const mostCount = 500
/** Resources that are compared with a filter which no index helps. */
const mostCompared = 50_000
const mostAttributes = 50

/** Throws `invalidFilter`, `invalidPath` or `invalidValue`. */
export function readListQuery(query: URLSearchParams): ListQuery {
  const filter = query.get('filter')
  return {
    filter: filter === null || filter.trim() === '' ? undefined : readFilter(filter),
    startIndex: Math.max(1, readNumber(query.get('startIndex'), 1)),
    count: Math.min(mostCount, Math.max(0, readNumber(query.get('count'), usualCount))),
    shown: readProjection(query),
  }
}

export function readProjection(query: URLSearchParams): Projection {
  const names = (text: string | null): string[] =>
    (text ?? '')
      .split(',')
      .map((name) => name.trim())
      .filter((name) => name !== '')
  const only = names(query.get('attributes'))
  const without = names(query.get('excludedAttributes'))
  if (only.length + without.length > mostAttributes) throw badRequest('invalidValue', `at most ${mostAttributes} attributes can be named`)
  return { only: only.length === 0 ? undefined : only, without }
}

/** Whether an attribute is shown, so that what is not need not be looked up. */
export function isShown({ only, without }: Projection, attribute: string): boolean {
  const has = (names: readonly string[]): boolean =>
    names.some((name) => withoutSchema(name).rest.toLowerCase().split('.')[0] === attribute.toLowerCase())
  return (only === undefined || has(only)) && !without.some((name) => name.toLowerCase() === attribute.toLowerCase())
}

/** The resource with what was asked for; `id` and `schemas` are always there. */
export function project(resource: JsonObject, { only, without }: Projection): JsonObject {
  const kept: JsonObject = {}
  if (only === undefined) Object.assign(kept, resource)
  else {
    for (const name of ['schemas', 'id', ...only]) {
      const { extension, attribute } = readAttributePath(name)
      const holder = extension === undefined ? undefined : keyIn(resource, extension)
      const key = holder ?? keyIn(resource, attribute)
      if (key !== undefined && resource[key] !== undefined) kept[key] = resource[key]
    }
  }
  for (const name of without) {
    const key = keyIn(kept, name)
    if (key !== undefined && key !== 'id' && key !== 'schemas') delete kept[key]
  }
  return kept
}

/** The answer to a list. */
export function listAnswer(resources: readonly JsonObject[], total: number, { startIndex, shown }: ListQuery): JsonObject {
  return {
    schemas: ['urn:ietf:params:scim:api:messages:2.0:ListResponse'],
    totalResults: total,
    startIndex,
    itemsPerPage: resources.length,
    Resources: resources.map((resource) => project(resource, shown)),
  }
}

/** One page of what meets a filter, and how many do. `pageOf` gives all resources, piece by piece. Throws `tooMany`. */
export async function pageOfMatches<T>(
  pageOf: (offset: number, limit: number) => Promise<T[]>,
  meets: (one: T) => boolean | Promise<boolean>,
  { startIndex, count }: Pick<ListQuery, 'startIndex' | 'count'>,
): Promise<{ readonly found: readonly T[]; readonly total: number }> {
  const found: T[] = []
  let total = 0
  for (let offset = 0; ; offset += mostCount) {
    if (offset >= mostCompared)
      throw badRequest('tooMany', 'the filter would compare too many resources; filter by `userName`, `externalId` or `id`')
    const page = await pageOf(offset, mostCount)
    for (const one of page) {
      if (!(await meets(one))) continue
      total += 1
      if (total >= startIndex && found.length < count) found.push(one)
    }
    if (page.length < mostCount) return { found, total }
  }
}

function readNumber(text: string | null, otherwise: number): number {
  if (text === null || text === '') return otherwise
  if (!/^-?\d{1,9}$/.test(text)) throw badRequest('invalidValue', '`startIndex` and `count` must be whole numbers')
  return Number(text)
}

/** The body of a request as an object. Throws `invalidSyntax`. */
export function requireObject(body: unknown): JsonObject {
  if (!isObject(body)) throw badRequest('invalidSyntax', 'the body must be a JSON object')
  return body
}

/** What a client says of the version it means (RFC 7644, section 3.14): the number, undefined for none. */
export function versionOf(tag: string | undefined): number | undefined {
  const version = /^(?:W\/)?"(\d{1,9})"$/.exec(tag ?? '')?.[1]
  return version === undefined ? undefined : Number(version)
}

/** The attribute of an object that is text, or undefined. */
export function textIn(object: JsonObject, attribute: string): string | undefined {
  const value = valueIn(object, attribute)
  return typeof value === 'string' ? value : undefined
}
