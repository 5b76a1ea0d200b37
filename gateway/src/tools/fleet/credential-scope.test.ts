import { expect, test } from 'vitest'
import { systemClock } from '../../core/clock.ts'
import { sharedCredentials } from '../../identity/server-auth/shared-credentials.ts'
import { callerNamed, snapshotOf } from '../running-parts.fixture.ts'
import { connectionKey, sharedScope } from './credential-scope.ts'

const credentials = sharedCredentials(systemClock)
const snapshot = snapshotOf({
  servers: {
    keyed: { transport: 'http', url: 'http://127.0.0.1:1/', headers: { authorization: 'Bearer x' } },
    open: { transport: 'http', url: 'http://127.0.0.1:1/' },
    child: { transport: 'stdio', command: ['node', 'server.js'] },
    asking: { transport: 'openapi', document: 'a.json', query: { key: 'x' } },
    plain: { transport: 'openapi', document: 'a.json' },
    nothing: { transport: 'http', url: 'http://127.0.0.1:1/', auth: { kind: 'none' } },
    written: { transport: 'http', url: 'http://127.0.0.1:1/', auth: { kind: 'header', headers: { 'x-key': 'x' } } },
    named: { transport: 'http', url: 'http://127.0.0.1:1/', auth: { kind: 'header', credential: 'crm' } },
  },
})
const [keyed, open] = [...snapshot.servers.values()]
if (keyed === undefined || open === undefined) throw new Error('no servers')

test('callers share the connection of a server whose credentials they share', () => {
  for (const server of snapshot.servers.values()) expect(credentials.scopeOf(server, callerNamed('ada'))).toBeUndefined()
})

test('another revision and another server are other connections', () => {
  const keys = [
    connectionKey(keyed, sharedScope),
    connectionKey({ ...keyed, digest: 'other' }, sharedScope),
    connectionKey(open, sharedScope),
    connectionKey(keyed, 'person:ada'),
  ]
  expect(new Set(keys).size).toBe(4)
})

test('a decision names what a hop sends, and nothing where it sends nothing', () => {
  const ids = [...snapshot.servers.values()].map((server) => [server.name, credentials.credentialOf(server, callerNamed('ada'))])
  expect(Object.fromEntries(ids)).toEqual({
    keyed: 'server:keyed',
    open: 'none',
    child: 'none',
    asking: 'server:asking',
    plain: 'none',
    nothing: 'none',
    written: 'server:written',
    named: 'crm',
  })
})
