/** Why a message ended, in both dialects. Total mappings: an unknown reason reads as a normal end. */

const toMessages: Readonly<Record<string, string>> = {
  stop: 'end_turn',
  length: 'max_tokens',
  tool_calls: 'tool_use',
  function_call: 'tool_use',
  content_filter: 'refusal',
}

const toChat: Readonly<Record<string, string>> = {
  end_turn: 'stop',
  stop_sequence: 'stop',
  pause_turn: 'stop',
  max_tokens: 'length',
  model_context_window_exceeded: 'length',
  tool_use: 'tool_calls',
  refusal: 'content_filter',
}

function lookup(table: Readonly<Record<string, string>>, reason: string | undefined, otherwise: string): string {
  return reason !== undefined && Object.hasOwn(table, reason) ? (table[reason] ?? otherwise) : otherwise
}

/**
 * `finish_reason` to `stop_reason`. Whether the message has calls decides between `tool_use` and `end_turn`:
 * some servers say `stop` after calls, and a client that reads `end_turn` would not run them.
 */
export function stopReason(finishReason: string | undefined, hasCalls: boolean): string {
  const mapped = lookup(toMessages, finishReason, 'end_turn')
  if (hasCalls && mapped === 'end_turn') return 'tool_use'
  return !hasCalls && mapped === 'tool_use' ? 'end_turn' : mapped
}

/** `stop_reason` to `finish_reason`, with the same rule about calls. */
export function finishReason(reason: string | undefined, hasCalls: boolean): string {
  const mapped = lookup(toChat, reason, 'stop')
  if (hasCalls && mapped === 'stop') return 'tool_calls'
  return !hasCalls && mapped === 'tool_calls' ? 'stop' : mapped
}
