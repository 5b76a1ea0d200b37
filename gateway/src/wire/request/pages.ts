/** Pages of a list, as whoever lists something asks for them. */
import { invalid } from './fields.ts'

export interface PageBounds {
  readonly usual: number
  readonly highest: number
}

/** `limit` of a query. Throws `request.invalid`. */
export function limitIn(query: URLSearchParams, { usual, highest }: PageBounds): number {
  const limit = Number(query.get('limit') ?? usual)
  if (!Number.isInteger(limit) || limit < 1 || limit > highest) throw invalid('limit', `it must be 1 to ${highest}`)
  return limit
}

export interface Page<T> {
  readonly items: readonly T[]
  readonly hasMore: boolean
}

/** So many behind the one with this id; from the beginning without one. Throws `request.invalid` naming the parameter when there is no such one. */
export function pageBehind<T extends { readonly id: string }>(
  all: readonly T[],
  limit: number,
  after: string | null,
  parameter: string,
): Page<T> {
  const start = after === null ? 0 : placeOf(all, after, parameter) + 1
  return { items: all.slice(start, start + limit), hasMore: start + limit < all.length }
}

/** So many before the one with this id. */
export function pageBefore<T extends { readonly id: string }>(
  all: readonly T[],
  limit: number,
  before: string,
  parameter: string,
): Page<T> {
  const end = placeOf(all, before, parameter)
  const start = Math.max(0, end - limit)
  return { items: all.slice(start, end), hasMore: start > 0 }
}

function placeOf(all: readonly { readonly id: string }[], id: string, parameter: string): number {
  const at = all.findIndex((one) => one.id === id)
  if (at < 0) throw invalid(parameter, 'nothing in the list has this id')
  return at
}
