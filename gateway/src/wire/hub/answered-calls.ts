/** Every vendor wants each call of a history answered exactly once, by what the user says next. No answer is ever invented. */
import { TurnwardError } from '../../core/error.ts'
import type { HubMessage } from './conversation.ts'

/** Throws `request.invalid` naming the message or call. */
export function requireAnsweredCalls(messages: readonly HubMessage[]): void {
  const open = new Set<string>()
  let isAnswering = false
  const refuse = (subject: string, why: string): never => {
    throw new TurnwardError('request.invalid', { subject, why })
  }
  for (const { role, parts, at } of messages) {
    if (role === 'system') continue
    if (role === 'assistant' && isAnswering && open.size > 0) refuse(at, 'a tool call before it has no result')
    for (const part of parts) {
      if (part.kind === 'call') {
        if (open.has(part.id)) refuse(`${part.at}.id`, 'two calls have the same id')
        open.add(part.id)
      } else if (part.kind === 'result' && !open.delete(part.callId)) refuse(part.at, 'it answers no open call of the message before it')
    }
    isAnswering = role === 'user'
  }
  if (open.size > 0) refuse('messages', 'the last tool call has no result')
}
