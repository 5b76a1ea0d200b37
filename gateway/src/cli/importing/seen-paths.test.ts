import { expect, test } from 'vitest'
import { namedHosts } from './named-hosts.ts'
import { seenPaths } from './seen-paths.ts'

const there = new Map<string, 'folder' | 'file'>([
  ['/data', 'folder'],
  ['/data/inner', 'folder'],
  ['/data/file.json', 'file'],
  ['/home/ada', 'folder'],
  ['/home/ada/notes', 'folder'],
  ['/secret', 'folder'],
])
const questions = {
  home: '/home/ada',
  at: (path: string) => there.get(path),
  refused: (path: string) => (path === '/secret' ? 'it is protected' : undefined),
}
const filesystem = '@modelcontextprotocol/server-filesystem'

test.each([
  [['/data'], undefined, ['/data:ro']],
  [['--root=/data'], undefined, ['/data:ro']],
  [['file:///data'], undefined, ['/data:ro']],
  [['~/notes'], undefined, ['/home/ada/notes:ro']],
  [['/data/file.json'], undefined, ['/data/file.json:ro']],
  [['/data', '/data/inner', '/data'], undefined, ['/data:ro']],
  [['/data'], filesystem, ['/data:rw']],
  [['/data/file.json'], '@modelcontextprotocol/server-memory', ['/data:rw']],
  [['/data/new.json'], '@modelcontextprotocol/server-memory', ['/data:rw']],
  [['/data/new.json'], undefined, []],
  [['/nowhere', 'data', 'x:/data', '/v1'], undefined, []],
])('%j of %s are seen as %j', (words, packageName, mounts) => {
  expect(seenPaths(words, packageName, questions).mounts).toEqual(mounts)
})

test.each(['/home/ada', '/home', '/', '~', '/secret'])('%s is shown to nobody, and told', (path) => {
  const { mounts, findings } = seenPaths([path], filesystem, { ...questions, at: () => 'folder' })
  expect(mounts).toEqual([])
  expect(findings).toHaveLength(1)
})

test('what may be written is said, and what may not', () => {
  expect(seenPaths(['/data'], filesystem, questions).notes.join()).toContain('may write')
  expect(seenPaths(['/data'], 'other', questions).notes.join()).toContain('read-only')
})

test.each([
  [['https://api.example.com/v1'], ['api.example.com']],
  [['--url=https://api.example.com:8443/'], ['api.example.com:8443']],
  [['postgresql://a:b@db.example/x'], ['tcp:db.example:5432']],
  [['http://a.example', 'http://a.example/x'], ['a.example']],
  [['ftp://a.example', 'file:///x', 'a.example'], []],
])('%j have to be reached at %j', (words, hosts) => {
  expect(namedHosts(words)).toEqual({ hosts, own: [] })
})

test.each(['http://localhost:3000', 'redis://127.0.0.1', 'http://[::1]:9/', 'postgres://host.docker.internal/x'])(
  '%s is this machine',
  (address) => {
    expect(namedHosts([address])).toMatchObject({ hosts: [], own: [expect.any(String)] })
  },
)
