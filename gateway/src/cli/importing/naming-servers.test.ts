import { expect, test } from 'vitest'
import type { ClientId } from './clients.ts'
import { namedServers } from './naming-servers.ts'

const server = (name: string, url: string, client: ClientId = 'cursor') => ({
  client,
  file: '/f',
  project: undefined,
  name,
  isOff: false,
  findings: [],
  inputs: new Map<string, string>(),
  launch: { kind: 'address' as const, url, transport: 'http' as const, headers: {} },
})
const names = (declared: readonly ReturnType<typeof server>[], there: readonly string[] = []) =>
  namedServers(declared, there).map(({ server: name, declared: sources, isThere }) => [name, sources.length, isThere])

test('what clients declare alike is one server', () => {
  expect(names([server('a', 'https://a'), server('a', 'https://a', 'vscode'), server('other', 'https://a', 'codex')])).toEqual([
    ['a', 3, false],
  ])
})

test('different servers of one name are told apart by their client, in any case', () => {
  expect(
    names([
      server('a', 'https://1'),
      server('A', 'https://2', 'vscode'),
      server('a', 'https://3', 'vscode'),
      server('a', 'https://4', 'vscode'),
    ]),
  ).toEqual([
    ['a', 1, false],
    ['A-vscode', 1, false],
    ['a-vscode-2', 1, false],
    ['a-vscode-3', 1, false],
  ])
})

test('what the configuration has is kept', () => {
  expect(names([server('A', 'https://1'), server('b', 'https://2')], ['a'])).toEqual([
    ['A', 1, true],
    ['b', 1, false],
  ])
})

test.each([
  ['my server!', 'my-server'],
  ['a__b', 'a_b'],
  ['_x_', 'x'],
  ['日本', 'server'],
  ['x'.repeat(80), 'x'.repeat(31)],
])('%j is called %s', (name, usable) => {
  expect(names([server(name, 'https://1')])).toEqual([[usable, 1, false]])
})

test('a long name keeps its client', () => {
  const long = 'x'.repeat(31)
  expect(names([server(long, 'https://1'), server(long, 'https://2')])[1]).toEqual([`${'x'.repeat(24)}-cursor`, 1, false])
})

test.each([
  [['npx', '-y', '@a/b'], 1],
  [['node', '/srv/server.js'], 1],
  [['node', './server.js'], 2],
  [['node', 'server.js'], 2],
  [['node', '/srv/server.js', '${workspaceFolder}'], 2],
])('%j in two projects is %i', (command, count) => {
  const launch = { kind: 'command' as const, command, env: {}, cwd: undefined, envFile: undefined }
  const declared = ['/one', '/two'].map((project) => ({ ...server('a', ''), project, launch }))
  expect(namedServers(declared, [])).toHaveLength(count)
})
