/** Codex: Responses. Tools of MCP servers are found by a search and called by group and name. */
import { join } from 'node:path'
import { label, type Client } from './client.ts'

export const codex: Client = {
  name: 'codex',
  package: '@openai/codex',
  version: '0.171.0',
  command: 'codex',
  speaks: 'responses',
  governed: 'models-and-tools',
  reader: 'exec_command',
  read: (file) => ({ name: 'exec_command', args: { cmd: `cat '${file}'` } }),
  edit: (file, from, to) => ({ name: 'exec_command', args: { cmd: `sed -i 's/${from}/${to}/' '${file}'` } }),
  run: (command) => ({ name: 'exec_command', args: { cmd: command } }),
  mcp: (tool, args) => [
    { name: 'tool_search', args: { query: tool.replaceAll('_', ' ') } },
    { name: tool, namespace: `mcp__${label}`, args },
  ],
  start: ({ home, modelUrl, mcpUrl, key, prompt }) => ({
    args: ['exec', '--skip-git-repo-check', '--dangerously-bypass-approvals-and-sandbox', prompt],
    env: { CODEX_HOME: join(home, '.codex'), TURNWARD_KEY: key },
    files: {
      [join(home, '.codex/config.toml')]: `model = "gpt-5.5"
model_provider = "mock"
[analytics]
enabled = false
[model_providers.mock]
name = "Mock"
base_url = "${modelUrl}/v1"
env_key = "TURNWARD_KEY"
wire_api = "responses"
request_max_retries = 1
stream_max_retries = 1
[mcp_servers.${label}]
url = "${mcpUrl}"
bearer_token_env_var = "TURNWARD_KEY"
`,
    },
  }),
}
