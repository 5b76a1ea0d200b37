/** OpenCode. */
import { headerValue, type ClientAdapter } from './client-adapter.ts'

export const opencode: ClientAdapter = {
  name: 'opencode',
  made: ({ headers }) => headers['x-opencode-session'] !== undefined || headers['user-agent']?.includes('opencode/') === true,
  session: ({ headers }) => headerValue(headers, 'x-opencode-session') ?? headerValue(headers, 'x-session-affinity'),
  parent: ({ headers }) => headerValue(headers, 'x-parent-session-id'),
}
