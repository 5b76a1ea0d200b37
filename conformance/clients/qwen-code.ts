/** Qwen Code: Chat Completions; tools of MCP servers are called through a tool of its own, `tool_call`. */
import { join } from 'node:path'
import { label, type Client } from './client.ts'

const named = (tool: string): string => `mcp__${label}__${tool}`

export const qwenCode: Client = {
  name: 'qwen-code',
  package: '@qwen-code/qwen-code',
  version: '0.24.4',
  command: 'qwen',
  speaks: 'chat-completions',
  governed: 'models-and-tools',
  reader: 'read_file',
  read: (file) => ({ name: 'read_file', args: { file_path: file } }),
  edit: (file, from, to) => ({ name: 'edit', args: { file_path: file, old_string: from, new_string: to } }),
  run: (command) => ({ name: 'run_shell_command', args: { command, is_background: false } }),
  mcp: (tool, args) => [
    { name: 'tool_search', args: { query: `select:${named(tool)}` } },
    { name: 'tool_call', args: { name: named(tool), arguments: args } },
  ],
  callThrough: 'tool_call',
  delegate: (task) => [
    { name: 'agent', args: { description: 'A task', prompt: task, subagent_type: 'general-purpose', run_in_background: false } },
  ],
  flags: { same: ['-c'], fork: ['-c', '--fork-session'] },
  compact: '/compress',
  start: ({ home, modelUrl, mcpUrl, key, prompt }) => ({
    args: ['-y', '--auth-type', 'openai', '-p', prompt],
    env: { OPENAI_BASE_URL: `${modelUrl}/v1`, OPENAI_API_KEY: key, OPENAI_MODEL: 'mock-model', QWEN_CODE_SUPPRESS_YOLO_WARNING: '1' },
    files: {
      [join(home, '.qwen/settings.json')]: JSON.stringify({
        security: { auth: { selectedType: 'openai' }, folderTrust: { enabled: false } },
        privacy: { usageStatisticsEnabled: false },
        general: { disableAutoUpdate: true, enableAutoUpdate: false },
        telemetry: { enabled: false },
        mcpServers: { [label]: { httpUrl: mcpUrl, headers: { Authorization: `Bearer ${key}` }, trust: true } },
      }),
    },
  }),
}
