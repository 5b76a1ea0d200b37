/**
 * How clients of MCP get to an endpoint of a gateway: one line for each, with the key in a variable wherever the client reads one.
 * The name of the endpoint, `turnward`, becomes a part of what the client calls its tools.
 */
import type { Entry, Format, Plain } from './entry.ts'

export interface McpEntries {
  readonly format: Format
  readonly entries: (url: string) => readonly Entry[]
}

const bearer = (reference: string): Plain => ({ Authorization: `Bearer ${reference}` })
const json = (entry: (url: string) => Plain): McpEntries => ({
  format: 'json',
  entries: (url) => [{ path: ['mcpServers', 'turnward'], value: entry(url) }],
})

// prettier-ignore
const table = {
  // It starts commands only; what it starts connects.
  'claude-desktop': json((url) => ({ command: 'npx', args: ['-y', 'mcp-remote', url, '--header', 'Authorization:${TURNWARD_AUTH}'], env: { TURNWARD_AUTH: 'Bearer <key>' } })),
  'claude-code': json((url) => ({ type: 'http', url, headers: bearer('${TURNWARD_KEY}') })),
  cursor: json((url) => ({ url, headers: bearer('${env:TURNWARD_KEY}') })),
  // Started from a desktop it sees no variables of a shell: it asks once, and keeps the key where it keeps its own.
  vscode: { format: 'json', entries: (url) => [
    { path: ['inputs', { id: 'turnward-key' }], value: { type: 'promptString', id: 'turnward-key', description: 'Turnward key', password: true } },
    { path: ['servers', 'turnward'], value: { type: 'http', url, headers: bearer('${input:turnward-key}') } }] },
  'copilot-cli': json((url) => ({ type: 'http', url, headers: bearer('${TURNWARD_KEY}'), tools: ['*'] })),
  windsurf: json((url) => ({ serverUrl: url, headers: bearer('${env:TURNWARD_KEY}') })),
  codex: { format: 'toml', entries: (url) => [{ path: ['mcp_servers', 'turnward'], value: { url, bearer_token_env_var: 'TURNWARD_KEY' } }] },
  gemini: json((url) => ({ httpUrl: url, headers: bearer('$TURNWARD_KEY') })),
  qwen: json((url) => ({ httpUrl: url, headers: bearer('$TURNWARD_KEY') })),
  cline: json((url) => ({ type: 'streamableHttp', url, headers: bearer('<key>') })),
  // Without `oauth: false` it looks for an authorization server, although the key is all there is.
  opencode: { format: 'json', entries: (url) => [
    { path: ['mcp', 'turnward'], value: { type: 'remote', url, oauth: false, headers: bearer('{env:TURNWARD_KEY}') } }] },
} satisfies Readonly<Record<string, McpEntries>>

export const mcpEntries: Readonly<Record<keyof typeof table, McpEntries>> = table
