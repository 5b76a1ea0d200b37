/** The clients whose MCP servers can be taken over: one line for each. What reads a file is the same for all of them. */
import { posix, win32 } from 'node:path'
import { fileOf } from '@turnward/contract/connect/entry'
import { mcpEntries } from '@turnward/contract/connect/mcp-entries'

export type ClientId = keyof typeof clients

export interface Client {
  readonly title: string
  /** Files of a person; `~` is the home folder, `@` where programs of the platform keep their settings. */
  readonly own: readonly string[]
  /** Files of a project, from its folder. */
  readonly project: readonly string[]
  /** Where a file has its servers: paths of keys, `*` for any key. */
  readonly servers: readonly string[]
  /** Where a file lists names of servers that are switched off. */
  readonly off: readonly string[]
  /** Where it lists the only ones that are on. */
  readonly only: readonly string[]
  /** What an address is that says nothing of its transport. */
  readonly untyped: 'http' | 'sse'
  /** How values refer to variables, besides `${NAME}`, `${NAME:-default}` and `${env:NAME}`. */
  readonly references: 'none' | 'dollar' | 'braces'
}

// prettier-ignore
const table = {
  'claude-desktop': client('Claude Desktop', { own: ['@/Claude/claude_desktop_config.json'] }),
  'claude-code': client('Claude Code', { own: ['~/.claude.json'], project: ['.mcp.json'], servers: ['mcpServers', 'projects.*.mcpServers'],
    off: ['projects.*.disabledMcpServers', 'projects.*.disabledMcpjsonServers'] }),
  cursor: client('Cursor', { own: ['~/.cursor/mcp.json'], project: ['.cursor/mcp.json'] }),
  vscode: client('VS Code', { own: ['@/Code/User/mcp.json', '@/Code/User/settings.json', '@/Code - Insiders/User/mcp.json'], project: ['.vscode/mcp.json'],
    servers: ['servers', 'mcp.servers'] }),
  'copilot-cli': client('Copilot CLI', { own: ['~/.copilot/mcp-config.json'] }),
  windsurf: client('Windsurf', { own: ['~/.codeium/windsurf/mcp_config.json'] }),
  codex: client('Codex', { own: ['~/.codex/config.toml'], project: ['.codex/config.toml'], servers: ['mcp_servers'] }),
  gemini: client('Gemini CLI', { own: ['~/.gemini/settings.json'], project: ['.gemini/settings.json'], off: ['mcp.excluded'], only: ['mcp.allowed'], untyped: 'sse', references: 'dollar' }),
  qwen: client('Qwen Code', { own: ['~/.qwen/settings.json'], project: ['.qwen/settings.json'], off: ['mcp.excluded'], only: ['mcp.allowed'], untyped: 'sse', references: 'dollar' }),
  cline: client('Cline', { own: ['@/Code/User/globalStorage/saoudrizwan.claude-dev/settings/cline_mcp_settings.json', '~/.cline/data/settings/cline_mcp_settings.json'], untyped: 'sse' }),
  opencode: client('OpenCode', { own: ['~/.config/opencode/opencode.json', '~/.config/opencode/opencode.jsonc'], project: ['opencode.json', 'opencode.jsonc'],
    servers: ['mcp.servers', 'mcp'], references: 'braces' }),
} as const

export const clients: Readonly<Record<keyof typeof table, Client>> = table

function client(title: string, of: Partial<Client> & Pick<Client, 'own'>): Client {
  return { title, project: [], servers: ['mcpServers'], off: [], only: [], untyped: 'http', references: 'none', ...of }
}

/** The entry that leads the client to an MCP endpoint, with the key in a variable where it reads one. */
export function pointing(id: ClientId, url: string): string {
  const { format, entries } = mcpEntries[id]
  return fileOf(format, entries(url))
}

/** What of a machine decides where files are. */
export interface Machine {
  readonly platform: NodeJS.Platform
  readonly home: string
  /** Folder of the project. */
  readonly project: string
  readonly env: Readonly<Record<string, string | undefined>>
}

export interface ClientPlace {
  readonly client: ClientId
  /** Absolute. */
  readonly path: string
  /** Folder of the project whose file it is. */
  readonly project: string | undefined
}

/** Every file in which a client may have servers, in the order of the table. */
export function usualPlaces(machine: Machine): readonly ClientPlace[] {
  const paths = machine.platform === 'win32' ? win32 : posix
  return clientIds.flatMap((id) => [
    ...clients[id].own.map((path) => ({ client: id, path: ownPath(path, machine), project: undefined })),
    ...clients[id].project.map((path) => ({ client: id, path: paths.join(machine.project, path), project: machine.project })),
  ])
}

export const clientIds: readonly ClientId[] = Object.keys(table).filter(isClientId)

/** Whether the text names a client of the table. */
export function isClientId(text: string): text is ClientId {
  return Object.hasOwn(table, text)
}

/** Variables with which a person moves the folder of a client, and where the file is then. */
const moved: Readonly<Record<string, readonly [variable: string, path: string]>> = {
  '~/.claude.json': ['CLAUDE_CONFIG_DIR', '.claude.json'],
  '~/.claude/settings.json': ['CLAUDE_CONFIG_DIR', 'settings.json'],
  '~/.codex/config.toml': ['CODEX_HOME', 'config.toml'],
  '~/.copilot/mcp-config.json': ['COPILOT_HOME', 'mcp-config.json'],
}

/** Where a file of a person is on this machine: `~` is the home folder, `@` where programs of the platform keep their settings. */
export function ownPath(path: string, { platform, home, env }: Omit<Machine, 'project'>): string {
  const paths = platform === 'win32' ? win32 : posix
  const [variable, below] = moved[path] ?? []
  const folder = variable === undefined ? undefined : env[variable]
  if (folder !== undefined && folder !== '' && below !== undefined) return paths.join(folder, below)
  if (path.startsWith('~/')) return paths.join(home, path.slice(2))
  const settings =
    platform === 'darwin'
      ? paths.join(home, 'Library/Application Support')
      : platform === 'win32'
        ? (env['APPDATA'] ?? paths.join(home, 'AppData/Roaming'))
        : (env['XDG_CONFIG_HOME'] ?? paths.join(home, '.config'))
  return paths.join(settings, path.slice(2))
}

/** The client a file belongs to by its name, and the project it stands in; undefined when the name tells nothing. */
export function placeOf(path: string): ClientPlace | undefined {
  const plain = path.replaceAll('\\', '/')
  for (const id of clientIds) {
    const below = clients[id].project.find((project) => plain.endsWith(`/${project}`))
    // A person's file and a project's may have one name; the folder is right for both.
    if (below !== undefined) return { client: id, path, project: path.slice(0, -below.length - 1) || '/' }
    if (clients[id].own.some((own) => plain.endsWith(own.slice(1)))) return { client: id, path, project: undefined }
  }
  const named = clientIds.filter((id) => clients[id].own.some((own) => own.split('/').at(-1) === plain.split('/').at(-1)))
  const [only] = named
  return named.length === 1 && only !== undefined && !isCommonName(plain) ? { client: only, path, project: undefined } : undefined
}

function isCommonName(path: string): boolean {
  return /\/(?:mcp|settings)\.json$|\/config\.toml$/.test(path)
}
