/** aider: no tools and no ids; every request is without tools, so that says nothing. */
import { instructionsOf, type ClientAdapter } from './client-adapter.ts'

export const aider: ClientAdapter = {
  name: 'aider',
  made: (request) => request.view.tools.length === 0 && /\bSEARCH\/REPLACE\b|^\*Briefly\* summarize this partial conversation|concise, one-line Git commit messages/.test(instructionsOf(request).slice(0, 4096)),
  side(request) {
    const instructions = instructionsOf(request)
    if (instructions.startsWith('*Briefly* summarize')) return 'summary'
    return instructions.includes('one-line Git commit messages') ? 'commit message' : undefined
  },
  writesItself: (text) => text.trim() === 'Ok.',
}
