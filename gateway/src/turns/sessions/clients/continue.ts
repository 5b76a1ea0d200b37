/** Continue. */
import { comesFrom, type ClientAdapter } from './client-adapter.ts'

const compacted = '[COMPACTED HISTORY]\n'

export const continueClient: ClientAdapter = {
  name: 'continue',
  made: ({ headers, view }) =>
    comesFrom(headers, 'Continue/') || view.messages.find(({ role }) => role === 'assistant')?.text.startsWith(compacted) === true,
  said: (text) => (text.startsWith(compacted) ? text.slice(compacted.length) : text),
}
