/** Gemini CLI: the Gemini API. */
import { join } from 'node:path'
import { label, type Client } from './client.ts'

export const geminiCli: Client = {
  name: 'gemini-cli',
  package: '@google/gemini-cli',
  version: '0.61.0',
  command: 'gemini',
  speaks: 'gemini',
  governed: 'models-and-tools',
  reader: 'read_file',
  read: (file) => ({ name: 'read_file', args: { file_path: file } }),
  edit: (file, from, to) => ({
    name: 'replace',
    args: { file_path: file, old_string: from, new_string: to, instruction: 'Replace the word' },
  }),
  run: (command) => ({ name: 'run_shell_command', args: { command } }),
  mcp: (tool, args) => [{ name: `mcp_${label}_${tool}`, args }],
  start: ({ home, modelUrl, mcpUrl, key, prompt }) => ({
    args: ['-y', '--skip-trust', '-m', 'gemini-2.5-pro', '-p', prompt],
    env: { GEMINI_API_KEY: key, GOOGLE_GEMINI_BASE_URL: modelUrl, GEMINI_TELEMETRY_ENABLED: 'false' },
    files: {
      [join(home, '.gemini/settings.json')]: JSON.stringify({
        security: { auth: { selectedType: 'gemini-api-key' }, folderTrust: { enabled: false } },
        privacy: { usageStatisticsEnabled: false },
        general: { disableAutoUpdate: true, enableAutoUpdate: false },
        telemetry: { enabled: false },
        mcpServers: { [label]: { httpUrl: mcpUrl, headers: { Authorization: `Bearer ${key}` }, trust: true } },
      }),
    },
  }),
}
