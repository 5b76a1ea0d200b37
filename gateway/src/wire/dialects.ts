/** The table of dialects: a lens and a stream gate each. */
import { ChatStreamGate } from './dialects/chat-completions/stream.ts'
import { chatCompletions } from './dialects/chat-completions/chat-completions.ts'
import type { Dialect, DialectName } from './dialect.ts'
import { MessagesStreamGate } from './dialects/messages/stream.ts'
import { messages } from './dialects/messages/messages.ts'
import type { GateOptions, GateSink, StreamGate } from './gate/stream-gate.ts'

/** The lens of each dialect. */
export const dialectByName: Readonly<Record<DialectName, Dialect>> = {
  'chat-completions': chatCompletions,
  messages,
}

/** A gate for one client response in this dialect. */
export function createStreamGate(name: DialectName, sink: GateSink, options: GateOptions): StreamGate {
  return gates[name](sink, options)
}

const gates: Readonly<Record<DialectName, (sink: GateSink, options: GateOptions) => StreamGate>> = {
  'chat-completions': (sink, options) => new ChatStreamGate(sink, options),
  messages: (sink, options) => new MessagesStreamGate(sink, options),
}
