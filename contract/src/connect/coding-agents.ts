/** Coding agents. Their settings are those of docs/clients.md, which were run. */
import { mcpUrl, quoted, type ClientFile, type ConnectedClient, type GatewayPlace } from './connected-client.ts'
import { mcpEntries } from './mcp-entries.ts'

const gpt = { usual: 'gpt-5.5', begins: 'gpt' }
const claude = { usual: 'claude-sonnet-5', begins: 'claude' }
const gemini = { usual: 'gemini-2.5-pro', begins: 'gemini' }

const none = (): readonly [] => []
const agent = (of: Pick<ConnectedClient, 'title' | 'model' | 'files' | 'start'> & Partial<ConnectedClient>): ConnectedClient => ({
  kind: 'coding agent',
  variables: () => ({}),
  code: none,
  notes: none,
  ...of,
})

/** A file in which a client has nothing but MCP servers. */
const mcpFile = (id: keyof typeof mcpEntries, own: string, project: string): ClientFile => ({
  own,
  project,
  format: mcpEntries[id].format,
  entries: (place) => mcpOf(id, place),
})

function mcpOf(id: keyof typeof mcpEntries, place: GatewayPlace) {
  const url = mcpUrl(place)
  return url === undefined ? [] : mcpEntries[id].entries(url)
}

export const claudeCode = agent({
  title: 'Claude Code',
  model: claude,
  files: [
    {
      own: '~/.claude/settings.json',
      project: '.claude/settings.json',
      format: 'json',
      entries: ({ url }) => [
        { path: ['env', 'ANTHROPIC_BASE_URL'], value: url },
        // Its settings refer to no variables; what this command prints is the key.
        { path: ['apiKeyHelper'], value: 'printf %s "$TURNWARD_KEY"' },
      ],
    },
    mcpFile('claude-code', '~/.claude.json', '.mcp.json'),
  ],
  start: ({ model }) => `claude --model ${quoted(model)}`,
  notes: () => [
    'Where ANTHROPIC_API_KEY or ANTHROPIC_AUTH_TOKEN is set, unset it: it would be sent instead of the key.',
    'Close Claude Code first: it writes ~/.claude.json while it runs.',
  ],
})

export const codex = agent({
  title: 'Codex',
  model: gpt,
  files: [
    {
      own: '~/.codex/config.toml',
      project: '.codex/config.toml',
      format: 'toml',
      entries: (place) => [
        { path: ['model_provider'], value: 'turnward' },
        {
          path: ['model_providers', 'turnward'],
          value: { name: 'Turnward', base_url: `${place.url}/v1`, env_key: 'TURNWARD_KEY', wire_api: 'responses' },
        },
        ...mcpOf('codex', place),
      ],
    },
  ],
  start: ({ model }) => `codex -m ${quoted(model)}`,
})

export const geminiCli = agent({
  title: 'Gemini CLI',
  model: gemini,
  files: [
    {
      own: '~/.gemini/settings.json',
      project: '.gemini/settings.json',
      format: 'json',
      entries: (place) => [{ path: ['security', 'auth', 'selectedType'], value: 'gemini-api-key' }, ...mcpOf('gemini', place)],
    },
  ],
  variables: ({ url }) => ({ GOOGLE_GEMINI_BASE_URL: url, GEMINI_API_KEY: '$TURNWARD_KEY' }),
  start: ({ model }) => `gemini -m ${quoted(model)}`,
})

export const openCode = agent({
  title: 'OpenCode',
  model: gpt,
  files: [
    {
      own: '~/.config/opencode/opencode.json',
      project: 'opencode.json',
      format: 'json',
      entries: (place) => [
        {
          path: ['provider', 'turnward'],
          value: {
            npm: '@ai-sdk/openai-compatible',
            name: 'Turnward',
            options: { baseURL: `${place.url}/v1`, apiKey: '{env:TURNWARD_KEY}' },
            models: { [place.model]: { name: place.model, limit: { context: 128_000, output: 8000 } } },
          },
        },
        ...mcpOf('opencode', place),
      ],
    },
  ],
  start: ({ model }) => `opencode -m ${quoted(`turnward/${model}`)}`,
  notes: ({ model }) => [`\`limit\` is what OpenCode takes ${model} for: put the model's own numbers there.`],
})

export const cursor = agent({
  title: 'Cursor',
  model: gpt,
  files: [mcpFile('cursor', '~/.cursor/mcp.json', '.cursor/mcp.json')],
  start: () => undefined,
  notes: ({ url, model }) => [
    `Models: in Cursor Settings, Models, API Keys, paste the key under OpenAI API Key, turn on Override OpenAI Base URL with ${url}/v1, and add the model ${model}.`,
    'Cursor asks for models from its own servers: the gateway needs an address that they reach. Its tools are called from this machine.',
    'Start Cursor from a shell that has TURNWARD_KEY.',
  ],
})

export const vsCode = agent({
  title: 'VS Code',
  model: gpt,
  files: [mcpFile('vscode', '@/Code/User/mcp.json', '.vscode/mcp.json')],
  start: () => undefined,
  notes: ({ url, model }) => [
    'VS Code asks for the key when it starts the server, and keeps it.',
    `Models: run Chat: Manage Language Models, add Custom Endpoint with the key and Chat Completions, and the model ${model} with the url ${url}/v1/chat/completions.`,
  ],
})
