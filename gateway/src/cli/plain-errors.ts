/**
 * Errors that no floor answers: nothing at a path, a wrong method, a gateway that is draining. Under `/v1` they have the
 * envelope of the vendor whose API the client speaks, because its SDK reads nothing else.
 */
import type { IncomingMessage, ServerResponse } from 'node:http'
import { asTurnwardError, type TurnwardError } from '../core/error.ts'
import type { JsonObject } from '../core/json.ts'
import { pathOf, queryOf } from '../core/request-target.ts'
import { chatCompletions } from '../wire/dialects/chat-completions/chat-completions.ts'
import type { Dialect } from '../wire/dialect.ts'
import { dialectByName } from '../wire/dialects.ts'
import { messages } from '../wire/dialects/messages/messages.ts'

/** What a client speaks that calls a path of several dialects: those that are not OpenAI's name themselves. */
export function dialectOfClient(request: IncomingMessage): Dialect {
  if (/^\/v1\/messages(?:\/|$)/.test(pathOf(request))) return messages
  const names = (header: string | undefined): boolean => header !== undefined && request.headers[header] !== undefined
  const own = Object.values(dialectByName).find(({ namingHeader }) => names(namingHeader))
  if (own !== undefined) return own
  const query = new URLSearchParams(queryOf(request))
  return Object.values(dialectByName).find(({ keyInQuery }) => keyInQuery !== undefined && query.has(keyInQuery)) ?? chatCompletions
}

/** Ends the answer with an error; cuts it off when its head has left already. */
export function answerPlainError(request: IncomingMessage, response: ServerResponse, thrown: unknown): void {
  const error = asTurnwardError(thrown)
  if (response.destroyed || response.writableEnded) return
  if (response.headersSent) {
    response.destroy()
    return
  }
  response.setHeader('connection', 'close')
  if (error.challenge !== undefined) response.setHeader('www-authenticate', error.challenge)
  if (error.retryAfterSeconds !== undefined) response.setHeader('retry-after', error.retryAfterSeconds)
  const own = ownRoots.get(rootOf(pathOf(request)))?.errorHeaders?.(error)
  response.writeHead(error.status, { 'content-type': 'application/json', ...own }).end(JSON.stringify(envelopeOf(request, error)))
}

/** Where only one dialect lives: the first segment of a path that names the model itself. */
const ownRoots: ReadonlyMap<string, Dialect> = new Map(
  Object.values(dialectByName).flatMap((dialect) => (dialect.readPath === undefined ? [] : [[rootOf(dialect.paths.call), dialect]])),
)

function rootOf(path: string): string {
  return path.split('/', 2)[1] ?? ''
}

function envelopeOf(request: IncomingMessage, error: TurnwardError): JsonObject | { readonly error: object } {
  const { status, code, message } = error
  const own = ownRoots.get(rootOf(pathOf(request)))
  if (own !== undefined) return own.errorBody({ status, code, message })
  if (!/^\/v1(?:\/|$)/.test(pathOf(request))) return { error: error.toJSON() }
  return dialectOfClient(request).errorBody({ status, code, message })
}
