/** MCP servers of the registries: how each is added, and what is asked of it. A line is a server that somebody uses. */
import type { Json } from '../harness/json.ts'

/** What every server finds in its folder, and may change there: a git repository with one commit, a text, a table. */
export interface ServerFolder {
  readonly path: string
  readonly file: (name: string) => string
}

export interface ServerCall {
  readonly tool: string
  readonly args?: (folder: ServerFolder) => Json
  /** Found in what comes back, as JSON. */
  readonly gives: RegExp
  /** The tool says itself that it failed. */
  readonly failed?: true
}

export interface RegistryServer {
  /** As `turnward servers add` takes it. */
  readonly package: string
  /** Arguments of the server. */
  readonly args?: (folder: ServerFolder) => readonly string[]
  /** Options of `turnward servers add`. */
  readonly options?: (folder: ServerFolder) => readonly string[]
  /** Tools that are listed, with whatever else. */
  readonly tools: readonly string[]
  readonly calls: readonly ServerCall[]
  /** Resources that are read, and what is found in their text. */
  readonly reads?: readonly { readonly uri: string; readonly gives: RegExp }[]
  /** Prompts that are listed. */
  readonly prompts?: readonly string[]
  /** A tool whose page (MCP Apps) is listed with it and can be read. */
  readonly app?: string
}

const inFolder = { options: (folder: ServerFolder) => ['--mount', `${folder.path}:rw`] }
const app = (name: string, tool: string, gives: RegExp, args: Json = {}): RegistryServer => ({
  package: `npm:@modelcontextprotocol/server-${name}`,
  args: () => ['--stdio'],
  tools: [tool],
  calls: [{ tool, args: () => args, gives }],
  app: tool,
})

const npm: readonly RegistryServer[] = [
  {
    package: 'npm:@modelcontextprotocol/server-everything',
    tools: ['echo', 'get-sum', 'get-tiny-image'],
    calls: [
      { tool: 'echo', args: () => ({ message: 'hello' }), gives: /Echo: hello/ },
      { tool: 'get-sum', args: () => ({ a: 2, b: 3 }), gives: /is 5/ },
      { tool: 'get-tiny-image', gives: /"mimeType":"image\/png"/ },
      { tool: 'get-sum', args: () => ({ a: 'two', b: 3 }), gives: /\ba\b/, failed: true },
    ],
    reads: [{ uri: 'demo://resource/static/document/features.md', gives: /Everything Server/ }],
    prompts: ['simple-prompt', 'args-prompt'],
  },
  {
    package: 'npm:@modelcontextprotocol/server-filesystem',
    args: ({ path }) => [path],
    ...inFolder,
    tools: ['read_text_file', 'write_file', 'list_directory'],
    calls: [
      { tool: 'read_text_file', args: ({ file }) => ({ path: file('notes.txt') }), gives: /written on the host/ },
      { tool: 'write_file', args: ({ file }) => ({ path: file('new.txt'), content: 'by the server' }), gives: /wrote/ },
      { tool: 'list_directory', args: ({ path }) => ({ path }), gives: /new\.txt/ },
      { tool: 'read_text_file', args: () => ({ path: '/etc/passwd' }), gives: /denied|outside/, failed: true },
    ],
  },
  {
    package: 'npm:@modelcontextprotocol/server-memory',
    options: ({ path, file }) => ['--mount', `${path}:rw`, '--env', `MEMORY_FILE_PATH=${file('memory.jsonl')}`],
    tools: ['create_entities', 'read_graph'],
    calls: [
      {
        tool: 'create_entities',
        args: () => ({ entities: [{ name: 'Ada', entityType: 'person', observations: ['writes programs'] }] }),
        gives: /Ada/,
      },
      { tool: 'read_graph', gives: /writes programs/ },
    ],
  },
  {
    package: 'npm:@modelcontextprotocol/server-sequential-thinking',
    tools: ['sequentialthinking'],
    calls: [
      {
        tool: 'sequentialthinking',
        args: () => ({ thought: 'first', nextThoughtNeeded: false, thoughtNumber: 1, totalThoughts: 1 }),
        gives: /totalThoughts/,
      },
    ],
  },
  {
    package: 'npm:mcp-hello-world',
    tools: ['echo'],
    calls: [{ tool: 'echo', args: () => ({ message: 'hello' }), gives: /hello/ }],
    reads: [{ uri: 'hello://world', gives: /./ }],
  },
  // It shows its tools without a browser, and there is none.
  { package: 'npm:@playwright/mcp', args: () => ['--headless'], tools: ['browser_navigate', 'browser_click'], calls: [] },
  { package: 'npm:chrome-devtools-mcp', args: () => ['--headless'], tools: ['navigate_page', 'take_screenshot'], calls: [] },
  // Of the modern era; what it knows is in the network, where it may not go.
  {
    package: 'npm:@upstash/context7-mcp',
    tools: ['resolve-library-id'],
    calls: [],
  },
  app('budget-allocator', 'get-budget-data', /categories/),
  app('system-monitor', 'get-system-info', /cpu/i),
  app('cohort-heatmap', 'get-cohort-data', /cohort/i),
  app('customer-segmentation', 'get-customer-data', /customer/i),
  app('scenario-modeler', 'get-scenario-data', /scenario|template/i),
  app('threejs', 'show_threejs_scene', /./),
  app('basic-react', 'get-time', /20\d\d/),
  app('basic-vanillajs', 'get-time', /20\d\d/),
]

const python: readonly RegistryServer[] = [
  {
    package: 'pypi:mcp-server-git',
    args: ({ path }) => ['--repository', path],
    ...inFolder,
    tools: ['git_status', 'git_log', 'git_commit'],
    calls: [
      { tool: 'git_log', args: ({ path }) => ({ repo_path: path, max_count: 3 }), gives: /the first commit/ },
      { tool: 'git_status', args: ({ path }) => ({ repo_path: path }), gives: /branch/ },
    ],
  },
  {
    package: 'pypi:mcp-server-time',
    tools: ['get_current_time', 'convert_time'],
    calls: [
      {
        tool: 'convert_time',
        args: () => ({ source_timezone: 'Europe/Zurich', time: '12:00', target_timezone: 'Asia/Tokyo' }),
        gives: /Asia\/Tokyo/,
      },
      { tool: 'get_current_time', args: () => ({ timezone: 'Nowhere/Nothing' }), gives: /timezone/i, failed: true },
    ],
  },
  {
    package: 'pypi:mcp-server-fetch',
    tools: ['fetch'],
    calls: [{ tool: 'fetch', args: () => ({ url: 'http://example.com/' }), gives: /fail|error|connect/i, failed: true }],
    prompts: ['fetch'],
  },
  {
    package: 'pypi:mcp-server-calculator',
    tools: ['calculate'],
    calls: [{ tool: 'calculate', args: () => ({ expression: '6 * 7' }), gives: /42/ }],
  },
]

export const registryServers: readonly RegistryServer[] = [...npm, ...python]
