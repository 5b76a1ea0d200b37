/** A deterministic provider for demos and tests. Runs in this process and is named as such everywhere. */
import type { Provider } from '../provider.ts'
import { ScriptedTransport } from './scripted-transport.ts'

export const scripted: Provider = {
  telemetryName: 'scripted',
  dialects: { 'chat-completions': { path: '/chat/completions' } },
  sign: () => [],
  forwardedHeaders: [],
  returnedHeaders: ['x-turnward-scripted'],
  requestIdHeaders: [],
  transport: (config) => new ScriptedTransport('steps' in config ? config.steps : []),
}
