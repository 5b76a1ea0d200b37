/** Claude Code: Messages; tools of MCP servers are found by a search before they are offered. */
import { join } from 'node:path'
import { label, type Client } from './client.ts'

const named = (tool: string): string => `mcp__${label}__${tool}`

export const claudeCode: Client = {
  name: 'claude-code',
  package: '@anthropic-ai/claude-code',
  version: '2.1.332',
  postInstall: 'install.cjs',
  command: 'claude',
  speaks: 'messages',
  governed: 'models-and-tools',
  reader: 'Read',
  read: (file) => ({ name: 'Read', args: { file_path: file } }),
  edit: (file, from, to) => ({ name: 'Edit', args: { file_path: file, old_string: from, new_string: to } }),
  run: (command) => ({ name: 'Bash', args: { command, description: 'Runs a command' } }),
  mcp: (tool, args) => [
    { name: 'ToolSearch', args: { query: `select:${named(tool)}` } },
    { name: named(tool), args },
  ],
  delegate: (task) => [
    { name: 'Agent', args: { description: 'A task', prompt: task, subagent_type: 'general-purpose', run_in_background: false } },
  ],
  flags: { same: ['-c'], fork: ['-c', '--fork-session'] },
  compact: '/compact',
  start: ({ home, modelUrl, mcpUrl, key, prompt }) => {
    const mcpConfig = join(home, 'mcp.json')
    return {
      args: ['-p', prompt, '--mcp-config', mcpConfig, '--strict-mcp-config', '--allowedTools', `Read,Edit,Bash,mcp__${label}__*`],
      env: {
        ANTHROPIC_BASE_URL: modelUrl,
        ANTHROPIC_API_KEY: key,
        CLAUDE_CODE_DISABLE_NONESSENTIAL_TRAFFIC: '1',
        DISABLE_AUTOUPDATER: '1',
        DISABLE_ERROR_REPORTING: '1',
        DISABLE_TELEMETRY: '1',
      },
      files: {
        [mcpConfig]: JSON.stringify({
          mcpServers: { [label]: { type: 'http', url: mcpUrl, headers: { Authorization: `Bearer ${key}` } } },
        }),
      },
    }
  },
}
