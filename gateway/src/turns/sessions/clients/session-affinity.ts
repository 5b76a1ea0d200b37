/** Any client that names its conversation in the header that balancers know. */
import { headerValue, type ClientAdapter } from './client-adapter.ts'

export const sessionAffinity: ClientAdapter = {
  name: 'session-affinity',
  made: ({ headers }) => headerValue(headers, 'x-session-affinity') !== undefined,
  session: ({ headers }) => headerValue(headers, 'x-session-affinity'),
  parent: ({ headers }) => headerValue(headers, 'x-parent-session-id'),
}
