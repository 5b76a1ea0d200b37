/** The table of dialects: a lens and a stream gate each. */
import { ChatStreamGate } from './chat-stream-gate.ts'
import { chatCompletions } from './chat-completions.ts'
import type { Dialect, DialectName } from './dialect.ts'
import { MessagesStreamGate } from './messages-stream-gate.ts'
import { messages } from './messages.ts'
import type { GateOptions, GateSink, StreamGate } from './stream-gate.ts'

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
