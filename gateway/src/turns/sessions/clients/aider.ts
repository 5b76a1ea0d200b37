/** aider: no tools and no ids; every request is without tools, so that says nothing. */
import { instructionsOf, type ClientAdapter } from './client-adapter.ts'

export const aider: ClientAdapter = {
  name: 'aider',
  made(request) {
    if (request.view.tools.length > 0) return false
    const instructions = instructionsOf(request)
    return (
      instructions.startsWith('*Briefly* summarize') ||
      instructions.startsWith('Act as an expert software developer') ||
      instructions.startsWith('You are an expert software engineer that generates')
    )
  },
  side(request) {
    const instructions = instructionsOf(request)
    if (instructions.startsWith('*Briefly* summarize')) return 'summary'
    return instructions.includes('one-line Git commit messages') ? 'commit message' : undefined
  },
  writesItself: (text) => text.trim() === 'Ok.',
}
