import { expect, test } from 'vitest'
import { callerNamed, snapshotOf } from '../running-parts.fixture.ts'
import { connectionKey, credentialId, credentialScope } from './credential-scope.ts'

const snapshot = snapshotOf({
  servers: {
    keyed: { transport: 'http', url: 'http://127.0.0.1:1/', headers: { authorization: 'Bearer x' } },
    open: { transport: 'http', url: 'http://127.0.0.1:1/' },
    child: { transport: 'stdio', command: ['node', 'server.js'] },
    asking: { transport: 'openapi', document: 'a.json', query: { key: 'x' } },
    plain: { transport: 'openapi', document: 'a.json' },
  },
})
const [keyed, open] = [...snapshot.servers.values()]
if (keyed === undefined || open === undefined) throw new Error('no servers')

test('callers share the connection of a server, because they share its credentials', () => {
  const key = (name: string): string => connectionKey(keyed, credentialScope(keyed, callerNamed(name)))
  expect(key('ada')).toBe(key('bob'))
  expect(key('ada')).toBe(connectionKey(keyed, credentialScope(keyed, undefined)))
})

test('another revision, another server and other credentials are other connections', () => {
  const keys = [
    connectionKey(keyed, 'server:keyed'),
    connectionKey({ ...keyed, digest: 'other' }, 'server:keyed'),
    connectionKey(open, 'server:open'),
    connectionKey(keyed, 'person:ada'),
  ]
  expect(new Set(keys).size).toBe(4)
})

test('a decision names the scope whose credential a hop sends, and nothing where it sends none', () => {
  const ids = ['keyed', 'open', 'child', 'unknown', 'asking', 'plain'].map((name) => credentialId(snapshot, name, callerNamed('ada')))
  expect(ids).toEqual(['server:keyed', 'none', 'none', 'none', 'server:asking', 'none'])
})
