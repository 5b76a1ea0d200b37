/**
 * What a route says beside each conversation (`prepend`, `append`). It is put into the request on its way out and into nothing
 * else: what a client sends with its next request, and what is kept of this one, is the conversation without it. So it is
 * there once in every request, and who the conversation belongs to does not depend on it.
 */
import type { Route } from '../../config/snapshot.ts'
import { TurnwardError } from '../../core/error.ts'
import type { ModelCall, TokenCount } from '../call.ts'

/** Edits the body in place. The views of the call stay those of what its client has said. */
export function addMessages(call: ModelCall, { added }: Pick<Route, 'added'>): void {
  if (added === undefined) return
  call.dialect.edit.addMessages(call.body.json, added)
  call.added = { messages: added, before: call.bytes?.length }
  call.bytes = undefined
}

/** The same of a request whose tokens are counted. */
export function addToCount(count: TokenCount, { added }: Pick<Route, 'added'>): void {
  if (added === undefined) return
  count.dialect.edit.addMessages(count.read.body.json, added)
  count.read = { ...count.read, bytes: undefined }
}

/** Operations that are asked in words, and have no place for the words of anybody else. */
const asked: ReadonlySet<string> = new Set(['completions', 'realtime'])

const isOfOpenAi = ({ dialects }: Route['transforms'][number]): boolean => dialects.has('chat-completions') || dialects.has('responses')

/** Who asks a model past its conversations would ask it without what its route says, or says more. Throws `request.unsupported`. */
export function requireConversation(
  { added, templates, context, transforms }: Pick<Route, 'added' | 'templates' | 'context' | 'transforms'>,
  operation: string,
): void {
  if (templates?.isRequired === true)
    throw new TurnwardError('request.unsupported', {
      subject: operation,
      why: 'models of this route are asked with a template alone, and these have no place for one',
      fix: 'Call a template in a conversation, for example at `/v1/chat/completions`, or ask for another model.',
    })
  const done = [
    ...(added === undefined ? [] : ['puts messages around conversations']),
    ...(context.length === 0 ? [] : ['puts passages into conversations']),
    ...(transforms.some(isOfOpenAi) ? ['changes fields of conversations'] : []),
  ]
  if (done.length === 0 || !asked.has(operation)) return
  throw new TurnwardError('request.unsupported', {
    subject: operation,
    why: `the route of this model ${done.join(' and ')}, and these have no place for that`,
    fix: 'Ask in a conversation, for example at `/v1/chat/completions`, or ask for another model.',
  })
}
