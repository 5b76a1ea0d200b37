/** An agent as people write them: the model through the model floor, its calls through the agent floor, until it calls nothing more. */

export interface AgentOptions {
  /** Origin of the gateway. */
  readonly gateway: string
  /** Name of the MCP gateway. */
  readonly tools: string
  readonly key: string
  readonly prompt: string
  /** What the model knows the case by. */
  readonly user: string
}

export interface AgentRun {
  /** The last thing the model said. */
  readonly output: string
  /** As the gateway calls it; its decisions are found by it. */
  readonly turn: string | undefined
}

interface ToolCall {
  readonly id: string
  readonly function: { readonly name: string; readonly arguments: string }
}

interface Completion {
  readonly choices: readonly [{ readonly message: { readonly content: string | null; readonly tool_calls?: readonly ToolCall[] } }]
}

const mostRounds = 60
const mcpVersion = '2026-07-28'

/** Rejects when the gateway answers with a status that is none of a working gateway. */
export async function runAgent(options: AgentOptions): Promise<AgentRun> {
  const { tools } = (await mcp(options, 'tools/list', {})) as { readonly tools: readonly McpTool[] }
  const offered = tools.map(({ name, description, inputSchema }) => ({
    type: 'function',
    function: { name, description, parameters: inputSchema },
  }))
  const messages: object[] = [
    { role: 'system', content: 'You work for the person who writes to you, with the tools you have.' },
    { role: 'user', content: options.prompt },
  ]
  let turn: string | undefined
  for (let round = 0; round < mostRounds; round += 1) {
    const response = await post(`${options.gateway}/v1/chat/completions`, options.key, {
      model: 'gullible',
      user: options.user,
      messages,
      ...(offered.length > 0 ? { tools: offered } : {}),
    })
    turn ??= response.headers.get('x-turnward-turn') ?? undefined
    const { message } = ((await response.json()) as Completion).choices[0]
    messages.push(message)
    if (message.tool_calls === undefined || message.tool_calls.length === 0) return { output: message.content ?? '', turn }
    for (const call of message.tool_calls) messages.push({ role: 'tool', tool_call_id: call.id, content: await resultOf(options, call) })
  }
  return { output: '', turn }
}

interface McpTool {
  readonly name: string
  readonly description?: string
  readonly inputSchema: object
}

async function resultOf(options: AgentOptions, call: ToolCall): Promise<string> {
  const params = { name: call.function.name, arguments: JSON.parse(call.function.arguments) as object }
  const { content } = (await mcp(options, 'tools/call', params)) as { readonly content?: readonly { readonly text?: string }[] }
  return (content ?? []).map(({ text }) => text ?? '').join('\n')
}

/** The result, or what stands for one where the gateway answers with an error: agents show it to their model. */
async function mcp({ gateway, tools, key }: AgentOptions, method: string, params: object): Promise<object> {
  const _meta = {
    'io.modelcontextprotocol/protocolVersion': mcpVersion,
    'io.modelcontextprotocol/clientInfo': { name: 'agent', version: '1.0.0' },
    'io.modelcontextprotocol/clientCapabilities': {},
  }
  const name = 'name' in params ? { 'mcp-name': String(params.name) } : {}
  const response = await post(
    `${gateway}/mcp/${tools}`,
    key,
    { jsonrpc: '2.0', id: 1, method, params: { ...params, _meta } },
    { 'mcp-protocol-version': mcpVersion, 'mcp-method': method, ...name },
  )
  const { result, error } = messageIn(await response.text())
  return result ?? { content: [{ type: 'text', text: error?.message ?? 'no result' }] }
}

interface RpcMessage {
  readonly id?: number
  readonly result?: object
  readonly error?: { readonly message: string }
}

/** Of an answer in one piece, or the one with an id of those on a stream. */
function messageIn(text: string): RpcMessage {
  if (text.startsWith('{')) return JSON.parse(text) as RpcMessage
  const messages = text
    .split('\n')
    .filter((line) => line.startsWith('data:'))
    .map((line) => JSON.parse(line.slice(5)) as RpcMessage)
  return messages.find(({ id }) => id !== undefined) ?? {}
}

async function post(url: string, key: string, body: object, headers: Readonly<Record<string, string>> = {}): Promise<Response> {
  const response = await fetch(url, {
    method: 'POST',
    headers: {
      authorization: `Bearer ${key}`,
      'content-type': 'application/json',
      accept: 'application/json, text/event-stream',
      ...headers,
    },
    body: JSON.stringify(body),
    signal: AbortSignal.timeout(120_000),
  })
  // A refused call of the agent floor is an answer like any other.
  if (response.ok || url.includes('/mcp/')) return response
  throw new Error(`${url} answered ${response.status}: ${await response.text()}`)
}
