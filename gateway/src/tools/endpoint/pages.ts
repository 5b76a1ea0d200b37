/** Pages of a list. Cursors are ours, sealed, and only good for the principal, gateway and list they were made for. */
import { TurnwardError } from '../../core/error.ts'
import type { JsonObject } from '../../core/json.ts'
import type { Missing } from '../operations.ts'
import type { MethodCall } from './parts.ts'

const pageSize = 100

/** What was listed, each under the name that is its own in the list. */
export interface NamedList {
  readonly entries: readonly { readonly name: string; readonly definition: JsonObject }[]
  /** False while more is on its way. */
  readonly complete: boolean
  /** Of whom there is more than this. */
  readonly missing?: Missing | undefined
}

export interface Page {
  readonly entries: readonly JsonObject[]
  readonly nextCursor: string | undefined
  readonly complete: boolean
  readonly missing: Missing | undefined
}

/** The page the request asks for. Throws `request.invalid`. `read`: asked for once the cursor is known to be good. */
export async function pageOf({ parts: { cursors }, context, message }: MethodCall, read: () => Promise<NamedList>): Promise<Page> {
  const boundTo = [context.caller.principal.id, context.gateway, message.method]
  const cursor = message.params.cursor ?? undefined
  const opened = cursor === undefined ? undefined : typeof cursor === 'string' ? cursors.open(cursor, boundTo) : undefined
  if (cursor !== undefined && opened === undefined)
    throw new TurnwardError('request.invalid', {
      subject: 'cursor',
      why: 'it was not made by this gateway for this list',
      fix: 'List again from the start.',
    })
  const { entries, complete, missing } = await read()
  const start = opened === undefined ? 0 : startOf(entries, opened)
  const page = entries.slice(start, start + pageSize)
  const last = page.at(-1)?.name
  const hasMore = start + page.length < entries.length && last !== undefined
  return {
    entries: page.map(({ definition }) => definition),
    complete,
    missing,
    nextCursor: hasMore ? cursors.seal({ after: last, at: start + page.length }, boundTo) : undefined,
  }
}

/** After what the page before ended with; at its place when that has gone meanwhile. */
function startOf(entries: NamedList['entries'], cursor: JsonObject): number {
  const after = entries.findIndex(({ name }) => name === cursor.after)
  if (after !== -1) return after + 1
  return typeof cursor.at === 'number' ? cursor.at : entries.length
}
