/** What the client of a legacy session wants to be told: log messages from a level on, changes of resources. */
import { TurnwardError } from '../../core/error.ts'
import { isLogLevel } from '../log-levels.ts'
import type { MethodCall } from './parts.ts'

/** Resources one session may watch. */
const mostWatched = 256
const nothing = {}

/** `logging/setLevel`. Throws `request.invalid`. */
export async function setLevel({ message, wishes }: MethodCall): Promise<object> {
  const { level } = message.params
  if (!isLogLevel(level)) throw new TurnwardError('request.invalid', { subject: 'level', why: 'it is none of the levels there are' })
  await wishes?.change((before) => ({ ...before, level }))
  return nothing
}

/** `resources/subscribe`. Throws `request.invalid`, `grant.resource`. */
export async function subscribe({ parts, context, message, wishes }: MethodCall): Promise<object> {
  const uri = uriOf(message.params.uri)
  await parts.operations.requireResource(context, uri)
  await wishes?.change((before) => {
    const { watched = [] } = before
    if (watched.includes(uri)) return before
    if (watched.length >= mostWatched)
      throw new TurnwardError('mcp.server_busy', { why: `${mostWatched} resources are watched`, fix: 'Unsubscribe from others.' })
    return { ...before, watched: [...watched, uri] }
  })
  return nothing
}

/** `resources/unsubscribe`. Throws `request.invalid`. */
export async function unsubscribe({ message, wishes }: MethodCall): Promise<object> {
  const uri = uriOf(message.params.uri)
  await wishes?.change((before) => ({ ...before, watched: (before.watched ?? []).filter((one) => one !== uri) }))
  return nothing
}

function uriOf(uri: unknown): string {
  if (typeof uri === 'string' && uri !== '' && uri.length <= 4096) return uri
  throw new TurnwardError('request.invalid', { subject: 'uri', why: 'it must be the URI of a resource' })
}
