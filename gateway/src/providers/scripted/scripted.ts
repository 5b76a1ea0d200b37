/** A deterministic provider for demos and tests. Runs in this process and is named as such everywhere. */
import type { Provider } from '../provider.ts'

export const scripted: Provider = {
  telemetryName: 'scripted',
  dialect: 'chat-completions',
  path: '/chat/completions',
  authHeaders: () => [],
  forwardedHeaders: [],
  returnedHeaders: ['x-turnward-scripted'],
}
