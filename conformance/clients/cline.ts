/** Cline: Chat Completions through the Vercel AI SDK; nothing on the wire but its words says that it is Cline. */
import { join } from 'node:path'
import { label, type Client } from './client.ts'

export const cline: Client = {
  name: 'cline',
  package: 'cline',
  version: '3.0.65',
  postInstall: 'postinstall.mjs',
  command: 'cline',
  speaks: 'chat-completions',
  governed: 'models-and-tools',
  reader: 'read_files',
  read: (file) => ({ name: 'read_files', args: { files: [{ path: file }] } }),
  edit: (file, from, to) => ({ name: 'editor', args: { path: file, old_text: from, new_text: to } }),
  run: (command) => ({ name: 'run_commands', args: { commands: [command] } }),
  mcp: (tool, args) => [{ name: `${label}__${tool}`, args }],
  delegate: (task) => [{ name: 'spawn_agent', args: { systemPrompt: 'You help another agent.', task } }],
  start: ({ home, modelUrl, mcpUrl, key, prompt }) => {
    const settings = join(home, '.cline/data/settings')
    return {
      args: ['-P', 'openai-compatible', '-k', key, '-m', 'mock-model', '--json', prompt],
      env: { CLINE_TELEMETRY_DISABLED: '1', CLINE_NO_AUTO_UPDATE: '1' },
      files: {
        [join(settings, 'providers.json')]: JSON.stringify({
          version: 1,
          lastUsedProvider: 'openai-compatible',
          modes: {},
          providers: {
            'openai-compatible': {
              settings: { provider: 'openai-compatible', apiKey: key, model: 'mock-model', baseUrl: `${modelUrl}/v1` },
              updatedAt: '2026-01-01T00:00:00.000Z',
              tokenSource: 'manual',
            },
          },
        }),
        [join(settings, 'cline_mcp_settings.json')]: JSON.stringify({
          mcpServers: { [label]: { transport: { type: 'streamableHttp', url: mcpUrl, headers: { Authorization: `Bearer ${key}` } } } },
        }),
      },
    }
  },
}
