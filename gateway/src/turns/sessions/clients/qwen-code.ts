/** Qwen Code (Chat Completions). It sends no id of its own, and calls MCP tools through a tool of its own. */
import { afterLabel } from './claude-code.ts'
import { comesFrom, instructionsOf, lastUserText, withoutTagged, type ClientAdapter } from './client-adapter.ts'

export const qwenCode: ClientAdapter = {
  name: 'qwen-code',
  made: ({ headers }) => comesFrom(headers, 'QwenCode/'),
  side(request) {
    const asked = typed(lastUserText(request))
    const summarises = 'You are the component that summarizes'
    if (asked.startsWith(summarises) || instructionsOf(request).startsWith(summarises)) return 'summary'
    if (asked.startsWith('Managed memory has TWO directories.')) return 'memory'
    return request.view.tools.length === 0 ? 'side' : undefined
  },
  typed,
  writesItself: (text) => text.trim() === 'Got it. Thanks for the additional context!',
  toolName: afterLabel,
  callThrough: new Map([['tool_call', { name: 'name', arguments: 'arguments' }]]),
  agentTools: new Set(['agent', 'task']),
}

function typed(text: string): string {
  const rest = withoutTagged(text, 'system-reminder').trim()
  return rest.startsWith('<task-notification>') ? '' : rest
}
