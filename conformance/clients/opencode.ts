/** OpenCode: Chat Completions through the Vercel AI SDK. */
import { join } from 'node:path'
import { label, type Client } from './client.ts'

export const opencode: Client = {
  name: 'opencode',
  package: 'opencode-ai',
  version: '1.18.33',
  postInstall: 'postinstall.mjs',
  command: 'opencode',
  speaks: 'chat-completions',
  governed: 'models-and-tools',
  reader: 'read',
  read: (file) => ({ name: 'read', args: { filePath: file } }),
  edit: (file, from, to) => ({ name: 'edit', args: { filePath: file, oldString: from, newString: to } }),
  run: (command) => ({ name: 'bash', args: { command, description: 'Runs a command' } }),
  mcp: (tool, args) => [{ name: `${label}_${tool}`, args }],
  delegate: (task) => [{ name: 'task', args: { description: 'A task', prompt: task, subagent_type: 'general' } }],
  flags: { same: ['-c'], fork: ['-c', '--fork'] },
  start: ({ project, modelUrl, mcpUrl, key, prompt }) => ({
    args: ['run', '-m', 'turnward/mock-model', prompt],
    env: { OPENCODE_DISABLE_AUTOUPDATE: '1', OPENCODE_DISABLE_MODELS_FETCH: '1', OPENCODE_DISABLE_LSP_DOWNLOAD: '1' },
    files: {
      [join(project, 'opencode.json')]: JSON.stringify({
        autoupdate: false,
        share: 'disabled',
        provider: {
          turnward: {
            npm: '@ai-sdk/openai-compatible',
            name: 'Turnward',
            options: { baseURL: `${modelUrl}/v1`, apiKey: key },
            models: { 'mock-model': { name: 'Mock', limit: { context: 128_000, output: 8000 } } },
          },
        },
        mcp: { [label]: { type: 'remote', url: mcpUrl, enabled: true, oauth: false, headers: { Authorization: `Bearer ${key}` } } },
        permission: { edit: 'allow', bash: 'allow', webfetch: 'allow' },
      }),
    },
  }),
}
