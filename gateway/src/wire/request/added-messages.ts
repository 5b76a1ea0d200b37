/**
 * Messages that an operator puts around a conversation on its way out. The list of the conversation and its messages stay what
 * they are: it is a new list, with new messages where words are added to one. Pure.
 */
import { isObject, type JsonObject, type JsonValue } from '../../core/json.ts'

/** Words of an operator. */
export interface AddedMessage {
  readonly role: 'system' | 'user' | 'assistant'
  readonly text: string
}

export interface AddedMessages {
  /** Before everything that is said, in their order. */
  readonly prepend: readonly AddedMessage[]
  /** Behind everything that is said, except for an answer that the client has begun. */
  readonly append: readonly AddedMessage[]
}

/** How a dialect writes them. */
export interface AddedForm {
  readonly messageOf: (added: AddedMessage) => JsonObject
  /** Whether this is what a model said, and no call of it: nothing may stand behind it. */
  readonly isAnswer: (message: JsonValue | undefined) => boolean
  /** Of a dialect whose roles alternate: one message with what both say, where both are of one role. */
  readonly joined?: (first: JsonObject, second: JsonObject) => JsonObject | undefined
}

/** The list with the messages in their places. */
export function withAdded(list: readonly JsonValue[], { prepend, append }: AddedMessages, form: AddedForm): JsonValue[] {
  // An answer that the client has begun must stay the last thing said: the model goes on with it.
  let end = list.length
  while (end > 0 && form.isAnswer(list[end - 1])) end -= 1
  const own = (added: AddedMessage): { message: JsonValue; isOwn: boolean } => ({ message: form.messageOf(added), isOwn: true })
  const clients = (message: JsonValue): { message: JsonValue; isOwn: boolean } => ({ message, isOwn: false })
  const all = [...prepend.map(own), ...list.slice(0, end).map(clients), ...append.map(own), ...list.slice(end).map(clients)]
  const joined: { message: JsonValue; isOwn: boolean }[] = []
  for (const next of all) {
    const last = joined.at(-1)
    // What the client sent as two messages stays two.
    const one =
      last !== undefined && (last.isOwn || next.isOwn) && isObject(last.message) && isObject(next.message)
        ? form.joined?.(last.message, next.message)
        : undefined
    if (one === undefined) joined.push(next)
    else joined[joined.length - 1] = { message: one, isOwn: next.isOwn }
  }
  return joined.map(({ message }) => message)
}

/** Those that stand in the conversation, where a dialect keeps instructions beside it. */
export function spoken({ prepend, append }: AddedMessages): AddedMessages {
  const isSpoken = ({ role }: AddedMessage): boolean => role !== 'system'
  return { prepend: prepend.filter(isSpoken), append: append.filter(isSpoken) }
}

/** The instructions among them, before and behind those of the client. */
export function instructions({ prepend, append }: AddedMessages): {
  readonly before: readonly string[]
  readonly behind: readonly string[]
} {
  const textsOf = (list: readonly AddedMessage[]): string[] => list.flatMap(({ role, text }) => (role === 'system' ? [text] : []))
  return { before: textsOf(prepend), behind: textsOf(append) }
}
