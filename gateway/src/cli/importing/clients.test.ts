import { expect, test } from 'vitest'
import { clientIds, placeOf, pointing, usualPlaces } from './clients.ts'

const machine = { home: '/home/ada', project: '/work', env: {} }
const pathsOf = (platform: NodeJS.Platform, env: Record<string, string> = {}, home = machine.home): readonly string[] =>
  usualPlaces({ ...machine, platform, env, home }).map(({ path }) => path)

test.each([
  ['linux', '/home/ada/.config/Claude/claude_desktop_config.json'],
  ['linux', '/home/ada/.claude.json'],
  ['linux', '/work/.mcp.json'],
  ['linux', '/home/ada/.cursor/mcp.json'],
  ['linux', '/work/.cursor/mcp.json'],
  ['linux', '/home/ada/.config/Code/User/mcp.json'],
  ['linux', '/work/.vscode/mcp.json'],
  ['linux', '/home/ada/.codeium/windsurf/mcp_config.json'],
  ['linux', '/home/ada/.codex/config.toml'],
  ['linux', '/home/ada/.gemini/settings.json'],
  ['linux', '/home/ada/.qwen/settings.json'],
  ['linux', '/home/ada/.config/opencode/opencode.json'],
  ['darwin', '/home/ada/Library/Application Support/Claude/claude_desktop_config.json'],
  ['darwin', '/home/ada/Library/Application Support/Code/User/mcp.json'],
] as const)('on %s there is %s', (platform, path) => {
  expect(pathsOf(platform)).toContain(path)
})

test('on Windows settings are in %APPDATA%', () => {
  const paths = pathsOf('win32', { APPDATA: 'C:\\Users\\ada\\AppData\\Roaming' }, 'C:\\Users\\ada')
  expect(paths).toContain('C:\\Users\\ada\\AppData\\Roaming\\Claude\\claude_desktop_config.json')
  expect(paths).toContain('C:\\Users\\ada\\.codex\\config.toml')
})

test.each([
  [{ CODEX_HOME: '/etc/codex' }, '/etc/codex/config.toml'],
  [{ CLAUDE_CONFIG_DIR: '/etc/claude' }, '/etc/claude/.claude.json'],
  [{ XDG_CONFIG_HOME: '/home/ada/settings' }, '/home/ada/settings/Claude/claude_desktop_config.json'],
])('a folder that was moved is followed: %j', (env, path) => {
  expect(pathsOf('linux', env)).toContain(path)
})

test.each([
  ['/tmp/claude_desktop_config.json', 'claude-desktop', undefined],
  ['/repo/.mcp.json', 'claude-code', '/repo'],
  ['/repo/.vscode/mcp.json', 'vscode', '/repo'],
  ['/repo/.cursor/mcp.json', 'cursor', '/repo'],
  ['/tmp/mcp_config.json', 'windsurf', undefined],
  ['/repo/.codex/config.toml', 'codex', '/repo'],
  ['/repo/.gemini/settings.json', 'gemini', '/repo'],
  ['/repo/opencode.json', 'opencode', '/repo'],
  ['/tmp/cline_mcp_settings.json', 'cline', undefined],
])('%s belongs to %s by its name', (path, client, project) => {
  expect(placeOf(path)).toEqual({ client, path, project })
})

test.each(['/tmp/mcp.json', '/tmp/servers.yaml', '/tmp/settings.json'])('%s belongs to nobody by its name', (path) => {
  expect(placeOf(path)).toBeUndefined()
})

test.each(clientIds)('what leads %s to a gateway names its endpoint, and no key', (id) => {
  const entry = pointing(id, 'http://127.0.0.1:4100/mcp/main')
  expect(entry).toContain('http://127.0.0.1:4100/mcp/main')
  expect(entry).not.toMatch(/tw_/)
})
