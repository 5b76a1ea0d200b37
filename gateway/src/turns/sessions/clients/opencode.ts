/** OpenCode. A sub-agent has a session of its own and names the one that started it. */
import { headerValue, instructionsOf, type ClientAdapter } from './client-adapter.ts'

const goOn = 'Continue if you have next steps, or stop and ask for clarification if you are unsure how to proceed.'

export const opencode: ClientAdapter = {
  name: 'opencode',
  made: ({ headers }) => headers['user-agent']?.includes('opencode/') === true || headers['x-opencode-session'] !== undefined,
  session: ({ headers }) =>
    headerValue(headers, 'x-opencode-session') ?? headerValue(headers, 'x-session-id') ?? headerValue(headers, 'x-session-affinity'),
  parent: ({ headers }) => headerValue(headers, 'x-parent-session-id'),
  side(request) {
    if (request.view.tools.length > 0) return undefined
    const instructions = instructionsOf(request)
    if (instructions.startsWith('You are a title generator')) return 'title'
    return instructions.startsWith('You are a context summarization agent') ? 'summary' : 'side'
  },
  typed: (text) => (text.trim() === goOn || text.trim() === 'What did we do so far?' ? '' : text),
  agentTools: new Set(['task']),
}
