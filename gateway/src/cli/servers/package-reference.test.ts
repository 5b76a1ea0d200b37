import { expect, test } from 'vitest'
import { parsePackage, serverNameOf, usableName } from './package-reference.ts'

test.each([
  ['npm:@modelcontextprotocol/server-filesystem', { registry: 'npm', name: '@modelcontextprotocol/server-filesystem', version: undefined }],
  ['npm:server@1.2.3-beta.1', { registry: 'npm', name: 'server', version: '1.2.3-beta.1' }],
  ['npm:server@next', { registry: 'npm', name: 'server', version: 'next' }],
  ['pypi:mcp-server-git', { registry: 'pypi', name: 'mcp-server-git', version: undefined }],
  ['pypi:mcp-server-git==2.0', { registry: 'pypi', name: 'mcp-server-git', version: '2.0' }],
  ['pypi:mcp-server-git@2.0', { registry: 'pypi', name: 'mcp-server-git', version: '2.0' }],
])('%s', (text, meant) => expect(parsePackage(text)).toEqual(meant))

test.each([
  'server',
  'npm:',
  'npm:https://example.com/x.tgz',
  'npm:github:a/b',
  'npm:../folder',
  'npm:-g',
  'npm:a@file:../x',
  'npm:a@^1',
  'pypi:a>=1',
  'pypi:-r',
  'pypi:a @ https://x',
  'oci:image',
])('%s is no package of a registry', (text) => expect(() => parsePackage(text)).toThrow('names no package'))

test('servers are named after what they are for', () => {
  const names = [
    '@modelcontextprotocol/server-filesystem',
    'mcp-server-git',
    '@acme/mcp',
    'tavily-mcp',
    'weather.mcp_server',
    '@playwright/mcp',
  ]
  expect(names.map(serverNameOf)).toEqual(['filesystem', 'git', 'mcp', 'tavily', 'weather-mcp_server', 'mcp'])
  expect(usableName('My server__(v2)!')).toBe('My-server_-v2')
})
