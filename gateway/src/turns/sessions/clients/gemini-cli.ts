/** Gemini CLI. It sends no id of its own: its conversation is known by what was said. */
import { comesFrom, instructionsOf, withoutTagged, type ClientAdapter } from './client-adapter.ts'

export const geminiCli: ClientAdapter = {
  name: 'gemini-cli',
  made: ({ headers }) => comesFrom(headers, 'GeminiCLI'),
  side(request) {
    if (request.view.tools.length > 0) return request.view.tools.every(({ runs }) => runs === 'vendor') ? 'search' : undefined
    return instructionsOf(request).startsWith('You are a specialized system component responsible for distilling chat history')
      ? 'summary'
      : 'side'
  },
  typed: (text) => withoutTagged(text, 'session_context').trim(),
  writesItself: (text) => text.trim() === 'Got it. Thanks for the additional context!',
  // `mcp_<label>_<tool>`: where the label ends is found by what the rest means.
  agentTools: new Set(['invoke_agent']),
}
