import { expect, test } from 'vitest'
import { bridgedAddress, unwrapped, uvRun } from './unwrapping.ts'

const declared = (command: readonly string[], env: Record<string, string> = {}) => ({
  kind: 'command' as const,
  command,
  env,
  cwd: undefined,
  envFile: undefined,
})

test.each([
  [['cmd', '/c', 'npx', '-y', 'x'], ['npx', '-y', 'x'], {}],
  [['env', 'A=1', 'B=x=y', 'node', 's.js'], ['node', 's.js'], { A: '1', B: 'x=y' }],
  [['/usr/bin/env', 'node', 's.js'], ['node', 's.js'], {}],
  [['env', '-i', 'node'], ['env', '-i', 'node'], {}],
  [['node', 's.js'], ['node', 's.js'], {}],
])('%j starts %j', (command, inner, env) => {
  expect(unwrapped(declared(command))).toMatchObject({ command: inner, env })
})

test.each([
  [['npx', '-y', 'mcp-remote', 'https://a.example/mcp'], { url: 'https://a.example/mcp', transport: 'http', headers: {} }],
  [['npx', 'mcp-remote@0.1.29', 'https://a.example/sse'], { url: 'https://a.example/sse', transport: 'sse' }],
  [['npx', 'mcp-remote', 'https://a.example/sse', '--transport', 'http-only'], { transport: 'http' }],
  [['npx', 'mcp-remote', 'https://a.example/mcp', '8080', '--transport', 'sse-only', '--allow-http'], { transport: 'sse' }],
  [
    ['bunx', 'mcp-remote', 'https://a.example/mcp', '--header', 'X-Key: ${KEY}', '--header', 'B:${constructor}'],
    { headers: { 'X-Key': 'k', B: '${constructor}' } },
  ],
  [['/opt/bin/mcp-remote', 'https://a.example/mcp'], { url: 'https://a.example/mcp' }],
])('behind %j is a server at an address', (command, address) => {
  expect(bridgedAddress(declared(command, { KEY: 'k' }))).toMatchObject({ kind: 'address', ...address })
})

test.each([[['npx', 'mcp-remote']], [['npx', 'mcp-remote-fork', 'https://a.example']], [['node', 'mcp-remote.js']]])(
  '%j is no bridge',
  (command) => {
    expect(bridgedAddress(declared(command))).toBeUndefined()
  },
)

test.each([
  [['uv', '--directory', '/w', 'run', 'server.py', '--x'], { folder: '/w', run: ['server.py', '--x'] }],
  [['uv', 'run', '--with', 'mcp[cli]', '--project', '/w', 'mcp', 'run'], { folder: '/w', run: ['mcp', 'run'] }],
  [['uv', 'run', 'server'], { folder: undefined, run: ['server'] }],
  [['uv', 'sync'], undefined],
  [['node', 'run'], undefined],
])('%j runs %j of an environment', (command, run) => {
  expect(uvRun(command)).toEqual(run)
})
