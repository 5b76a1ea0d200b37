/** Goose. */
import { headerValue, type ClientAdapter } from './client-adapter.ts'

export const goose: ClientAdapter = {
  name: 'goose',
  made: ({ headers }) => headers['agent-session-id'] !== undefined || headers['goose-session-id'] !== undefined,
  session: ({ headers }) => headerValue(headers, 'agent-session-id') ?? headerValue(headers, 'goose-session-id'),
  side: ({ view }) => (view.tools.length === 0 ? 'side' : undefined),
  writesItself: (text) => text.startsWith('Your context was compacted.') && text.length < 1000,
  agentTools: new Set(['delegate', 'subagent']),
}
