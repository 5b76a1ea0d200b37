/** Continue. */
import { comesFrom, type ClientAdapter } from './client-adapter.ts'

const compacted = '[COMPACTED HISTORY]\n'

export const continueClient: ClientAdapter = {
  name: 'continue',
  made: ({ headers, view }) => comesFrom(headers, 'Continue/') || view.messages.some(({ role, text }) => role === 'assistant' && text.startsWith(compacted)),
  said: (text) => (text.startsWith(compacted) ? text.slice(compacted.length) : text),
}
