/** The clients whose MCP servers can be taken over: one line for each. What reads a file is the same for all of them. */
import { posix, win32 } from 'node:path'

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
  /** The entry that leads the client to an MCP endpoint, with the key in a variable where it reads one. */
  readonly pointing: (url: string) => string
}

const bearer = { Authorization: 'Bearer ${TURNWARD_KEY}' }
const mcpServers = (entry: object): string => json({ mcpServers: { turnward: entry } })

// prettier-ignore
const table = {
  'claude-desktop': client('Claude Desktop', { own: ['@/Claude/claude_desktop_config.json'],
    // It starts commands only; what it starts connects.
    pointing: (url) => mcpServers({ command: 'npx', args: ['-y', 'mcp-remote', url, '--header', 'Authorization:${TURNWARD_AUTH}'], env: { TURNWARD_AUTH: 'Bearer <key>' } }) }),
  'claude-code': client('Claude Code', { own: ['~/.claude.json'], project: ['.mcp.json'], servers: ['mcpServers', 'projects.*.mcpServers'],
    off: ['projects.*.disabledMcpServers', 'projects.*.disabledMcpjsonServers'], pointing: (url) => mcpServers({ type: 'http', url, headers: bearer }) }),
  cursor: client('Cursor', { own: ['~/.cursor/mcp.json'], project: ['.cursor/mcp.json'],
    pointing: (url) => mcpServers({ url, headers: { Authorization: 'Bearer ${env:TURNWARD_KEY}' } }) }),
  vscode: client('VS Code', { own: ['@/Code/User/mcp.json', '@/Code/User/settings.json', '@/Code - Insiders/User/mcp.json'], project: ['.vscode/mcp.json'],
    servers: ['servers', 'mcp.servers'],
    pointing: (url) => json({ inputs: [{ type: 'promptString', id: 'turnward-key', description: 'Turnward key', password: true }],
      servers: { turnward: { type: 'http', url, headers: { Authorization: 'Bearer ${input:turnward-key}' } } } }) }),
  'copilot-cli': client('Copilot CLI', { own: ['~/.copilot/mcp-config.json'], pointing: (url) => mcpServers({ type: 'http', url, headers: bearer, tools: ['*'] }) }),
  windsurf: client('Windsurf', { own: ['~/.codeium/windsurf/mcp_config.json'],
    pointing: (url) => mcpServers({ serverUrl: url, headers: { Authorization: 'Bearer ${env:TURNWARD_KEY}' } }) }),
  codex: client('Codex', { own: ['~/.codex/config.toml'], project: ['.codex/config.toml'], servers: ['mcp_servers'],
    pointing: (url) => `[mcp_servers.turnward]\nurl = ${JSON.stringify(url)}\nbearer_token_env_var = "TURNWARD_KEY"` }),
  gemini: client('Gemini CLI', { own: ['~/.gemini/settings.json'], project: ['.gemini/settings.json'], off: ['mcp.excluded'], only: ['mcp.allowed'], untyped: 'sse', references: 'dollar',
    pointing: (url) => mcpServers({ httpUrl: url, headers: { Authorization: 'Bearer $TURNWARD_KEY' } }) }),
  qwen: client('Qwen Code', { own: ['~/.qwen/settings.json'], project: ['.qwen/settings.json'], off: ['mcp.excluded'], only: ['mcp.allowed'], untyped: 'sse', references: 'dollar',
    pointing: (url) => mcpServers({ httpUrl: url, headers: { Authorization: 'Bearer $TURNWARD_KEY' } }) }),
  cline: client('Cline', { own: ['@/Code/User/globalStorage/saoudrizwan.claude-dev/settings/cline_mcp_settings.json', '~/.cline/data/settings/cline_mcp_settings.json'], untyped: 'sse',
    pointing: (url) => mcpServers({ type: 'streamableHttp', url, headers: { Authorization: 'Bearer <key>' } }) }),
  opencode: client('OpenCode', { own: ['~/.config/opencode/opencode.json', '~/.config/opencode/opencode.jsonc'], project: ['opencode.json', 'opencode.jsonc'],
    servers: ['mcp.servers', 'mcp'], references: 'braces',
    pointing: (url) => json({ mcp: { turnward: { type: 'remote', url, oauth: false, headers: { Authorization: 'Bearer {env:TURNWARD_KEY}' } } } }) }),
} as const

export const clients: Readonly<Record<keyof typeof table, Client>> = table

function client(title: string, of: Partial<Client> & Pick<Client, 'own' | 'pointing'>): Client {
  return { title, project: [], servers: ['mcpServers'], off: [], only: [], untyped: 'http', references: 'none', ...of }
}

function json(value: object): string {
  return JSON.stringify(value, null, 2)
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
    ...clients[id].own.map((path) => ({ client: id, path: ownPath(id, path, machine), project: undefined })),
    ...clients[id].project.map((path) => ({ client: id, path: paths.join(machine.project, path), project: machine.project })),
  ])
}

export const clientIds: readonly ClientId[] = Object.keys(table).filter(isClientId)

/** Whether the text names a client of the table. */
export function isClientId(text: string): text is ClientId {
  return Object.hasOwn(table, text)
}

/** Variables with which a person moves the folder of a client. */
const moved: Partial<Record<ClientId, readonly [variable: string, path: string]>> = {
  'claude-code': ['CLAUDE_CONFIG_DIR', '.claude.json'],
  codex: ['CODEX_HOME', 'config.toml'],
  'copilot-cli': ['COPILOT_HOME', 'mcp-config.json'],
}

function ownPath(id: ClientId, path: string, { platform, home, env }: Machine): string {
  const paths = platform === 'win32' ? win32 : posix
  const [variable, below] = moved[id] ?? []
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
