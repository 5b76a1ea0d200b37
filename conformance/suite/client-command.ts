/** What the suite starts as "the client": registers the server of a scenario with the gateway and does through it what the scenario waits for. */
import { rename, writeFile } from 'node:fs/promises'
import { Client, StreamableHTTPClientTransport } from '@modelcontextprotocol/client'
import type { Json } from '../harness/json.ts'
import { until } from '../harness/until.ts'
import { authOf, clientConfig, nowhere, type ClientPlace } from './client-place.ts'
import { ScriptedPerson } from './scripted-person.ts'

const { MCP_CONFORMANCE_SCENARIO: scenario = '', MCP_CONFORMANCE_PROTOCOL_VERSION: version, MCP_CONFORMANCE_CONTEXT: context } = process.env
const place = JSON.parse(process.env['TURNWARD_SUITE_PLACE'] ?? '{}') as ClientPlace
const serverUrl = process.argv.at(-1) ?? ''
const person = new ScriptedPerson(place.url)
const isOfPeople = scenario.startsWith('auth/') && !scenario.startsWith('auth/client-credentials')

interface ToolCall {
  readonly name: string
  readonly arguments: Record<string, unknown>
}

type Play = (client: Client) => Promise<unknown>

/** Calls a tool by the name it is listed under, as clients do that mirror its parameters in headers. */
const call = (tool: string, args: Record<string, unknown> = {}): Play => {
  return async (client) => {
    const { name } = await listed(client, tool)
    return client.callTool({ name, arguments: args })
  }
}

async function listed(client: Client, tool: string) {
  const found = (await client.listTools()).tools.find(({ name }) => name.split('__').at(-1) === tool)
  if (found === undefined) throw new Error(`no tool is listed as ${tool}`)
  return found
}

/** Connects the account that the server asks for, lists, and calls what is listed; again as often as a person is asked for more. */
const authorized: Play = async (client) => {
  await person.connect('suite')
  const [first] = (await client.listTools()).tools
  if (first === undefined) return
  for (;;) {
    const said = await client.callTool({ name: first.name, arguments: {} }).then(JSON.stringify, String)
    if (!(await person.follow(said))) return
  }
}

/** One after the other. What the gateway refuses ends none of the others: the suite judges what its server was sent. */
function all(...plays: readonly Play[]): Play {
  return async (client) => {
    for (const play of plays) await play(client).catch((error: unknown) => process.stderr.write(`${String(error)}\n`))
  }
}

const listTools: Play = (client) => client.listTools()

/** Scenarios that wait for more than a client that connects and lists tools. */
const plays: Readonly<Record<string, Play>> = {
  tools_call: call('add_numbers', { a: 5, b: 3 }),
  'sse-retry': call('test_reconnection'),
  'elicitation-sep1034-client-defaults': call('test_client_elicitation_defaults'),
  'sep-2322-client-request-state': all(
    call('test_mrtr_echo_state'),
    call('test_mrtr_unrelated'),
    call('test_mrtr_no_state'),
    call('test_mrtr_no_result_type'),
  ),
  'http-standard-headers': all(
    call('test_headers'),
    async (client) => client.readResource({ uri: (await client.listResources()).resources[0]?.uri ?? '' }),
    async (client) => client.getPrompt({ name: (await client.listPrompts()).prompts[0]?.name ?? '' }),
  ),
  'http-custom-headers': all(...givenCalls().map(({ name, arguments: args }) => call(name, args))),
  'json-schema-2020-12-preservation': async (client) => {
    const { inputSchema: schema } = await listed(client, 'json_schema_2020_12_tool')
    await call('json_schema_echo', { schema })(client)
  },
  'http-invalid-tool-headers': async (client) => {
    for (const { name } of (await client.listTools()).tools) await client.callTool({ name, arguments: { region: 'eu', value: 'x' } })
  },
}

function given(): Readonly<Record<string, string>> & { readonly toolCalls?: readonly ToolCall[] } {
  return JSON.parse(context ?? '{}') as Readonly<Record<string, string>> & { readonly toolCalls?: readonly ToolCall[] }
}

function givenCalls(): readonly ToolCall[] {
  return given().toolCalls ?? []
}

/** The suite stops its server before it reports, which waits for streams that the gateway holds: it must have let go. */
async function withServer(url: string, work: () => Promise<void>): Promise<void> {
  await configure(url, authOf(scenario, given()))
  try {
    await until('the server behind the gateway', async () => {
      const { servers } = (await (await fetch(`${place.url}/readyz`)).json()) as { servers: Json[] }
      return servers.every(({ state }) => state !== 'connecting') ? true : undefined
    })
    await work()
  } finally {
    await configure(nowhere)
  }
}

async function configure(url: string, auth?: object): Promise<void> {
  const before = await revision()
  await writeFile(`${place.configPath}.new`, JSON.stringify(clientConfig(url, place.settings, auth)))
  await rename(`${place.configPath}.new`, place.configPath)
  await until('the new revision', async () => ((await revision()) === before ? undefined : true))
}

async function revision(): Promise<string> {
  return ((await (await fetch(`${place.url}/healthz`)).json()) as { revision: string }).revision
}

await withServer(serverUrl, async () => {
  const client = new Client(
    { name: 'suite', version: '1.0.0' },
    {
      capabilities: { elicitation: { form: { applyDefaults: true } }, sampling: {}, roots: {} },
      versionNegotiation: { mode: version === '2025-11-25' ? 'legacy' : { pin: '2026-07-28' } },
    },
  )
  client.setRequestHandler('elicitation/create', () => ({ action: 'accept', content: { confirmed: true } }))
  const requestInit = { headers: { authorization: `Bearer ${place.token}` } }
  await client.connect(new StreamableHTTPClientTransport(new URL(`${place.url}/mcp/main`), { requestInit }))
  await all(listTools, plays[scenario] ?? (isOfPeople ? authorized : listTools))(client)
  await client.close()
})
