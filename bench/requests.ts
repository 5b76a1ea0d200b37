/** The requests of every scenario, as the bytes that go on the wire. Built before the load runs; nothing of the gateway is imported. */

/** Principal key of the gateway's configuration in this bench. Worth nothing anywhere else. */
export const benchKey = 'tw_bench_0123456789abcdefghijklmnop'

export type ChatModel = 'bench-json' | 'bench-sse' | 'bench-slow' | 'bench-burst' | 'bench-stamped'

const modernVersion = '2026-07-28'
const system = 'You are an assistant of Acme. Answer briefly, cite the file you used, and never guess. '.repeat(4)
const tools = ['lookup', 'search'].map((name) => ({
  type: 'function',
  function: {
    name: `bench__${name}`,
    description: `The tool ${name}`,
    parameters: {
      type: 'object',
      properties: { query: { type: 'string', description: 'What to look for' }, limit: { type: 'integer' } },
      required: ['query'],
    },
  },
}))
const question = 'Which suppliers have open invoices, and which of them did we promise to pay before the end of the week? '

/** Eight digits, so that every request can be made different in place. */
const marker = '00000000'

/** A chat call of 2 KB: system prompt, a short conversation, two tools. `marker` stands once in it, in the last message. */
export function smallChatBody(model: ChatModel): string {
  return JSON.stringify({
    model,
    stream: model !== 'bench-json',
    temperature: 0.2,
    messages: [
      { role: 'system', content: system },
      { role: 'user', content: `Good morning. ${question.repeat(2)}` },
      { role: 'assistant', content: 'Northwind (18,400) and Tailspin (2,150). Northwind was promised payment on Thursday.' },
      { role: 'user', content: `${question.repeat(4)} Reference ${marker}.` },
    ],
    tools,
  })
}

export type BenchDialect = 'chat-completions' | 'messages' | 'responses' | 'converse' | 'gemini'

/** The call of `smallChatBody` in a dialect, whole or streamed, for a model that speaks `upstream`. */
export function dialectCall(dialect: BenchDialect, upstream: BenchDialect, way: 'json' | 'sse'): FreshCall {
  const model = `bench-${upstream}-${way}`
  const stream = way === 'sse'
  const chat = JSON.parse(smallChatBody('bench-json')) as { messages: { role: string; content: string }[] }
  const [, ...said] = chat.messages
  const functions = tools.map(({ function: definition }) => definition)
  const name = `${dialect}-${upstream}-${way}`
  switch (dialect) {
    case 'chat-completions':
      return { path: '/v1/chat/completions', name, body: JSON.stringify({ ...chat, model, stream }) }
    case 'messages': {
      const offered = functions.map(({ parameters, ...rest }) => ({ ...rest, input_schema: parameters }))
      const body = { model, stream, max_tokens: 1024, temperature: 0.2, system, messages: said, tools: offered }
      return { path: '/v1/messages', name, body: JSON.stringify(body) }
    }
    case 'responses': {
      const offered = functions.map((definition) => ({ type: 'function', strict: false, ...definition }))
      const body = { model, stream, temperature: 0.2, instructions: system, input: said, tools: offered, store: false }
      return { path: '/v1/responses', name, body: JSON.stringify(body) }
    }
    case 'converse': {
      const offered = functions.map(({ parameters, ...rest }) => ({ toolSpec: { ...rest, inputSchema: { json: parameters } } }))
      const messages = said.map(({ role, content }) => ({ role, content: [{ text: content }] }))
      const body = { inferenceConfig: { temperature: 0.2 }, system: [{ text: system }], messages, toolConfig: { tools: offered } }
      return { path: `/model/${model}/converse${stream ? '-stream' : ''}`, name, body: JSON.stringify(body) }
    }
    case 'gemini': {
      const declarations = functions.map(({ parameters, ...rest }) => ({ ...rest, parametersJsonSchema: parameters }))
      const contents = said.map(({ role, content }) => ({ role: role === 'assistant' ? 'model' : 'user', parts: [{ text: content }] }))
      const body = {
        systemInstruction: { parts: [{ text: system }] },
        contents,
        tools: [{ functionDeclarations: declarations }],
        generationConfig: { temperature: 0.2 },
      }
      const path = `/v1beta/models/${model}:${stream ? 'streamGenerateContent?alt=sse' : 'generateContent'}`
      return { path, name, body: JSON.stringify(body) }
    }
  }
}

/** A chat history with this many rounds of one tool call and one result: 40 rounds are 100 KB. */
export function historyBody(conversation: string, rounds: number): string {
  const result = 'invoice;supplier;amount;due\n'.padEnd(2150, '4711;Northwind Traders Ltd.;18,400.00;2026-11-26\n')
  const messages: object[] = [
    { role: 'system', content: system },
    { role: 'user', content: `Conversation ${conversation}: ${question}` },
  ]
  for (let round = 0; round < rounds; round += 1) {
    const id = `call_${conversation}_${round}`
    messages.push(
      {
        role: 'assistant',
        content: null,
        tool_calls: [
          { id, type: 'function', function: { name: 'bench__lookup', arguments: JSON.stringify({ query: `supplier ${round}` }) } },
        ],
      },
      { role: 'tool', tool_call_id: id, content: `round ${round}\n${result}` },
    )
  }
  return JSON.stringify({ model: 'bench-json', stream: false, messages, tools })
}

/** A whole POST. Header names and values are ours, so nothing needs escaping. */
export function post(path: string, body: string, headers: Readonly<Record<string, string>> = {}): Buffer {
  const all = {
    host: '127.0.0.1',
    authorization: `Bearer ${benchKey}`,
    'content-type': 'application/json',
    accept: 'application/json, text/event-stream',
    ...headers,
    'content-length': String(Buffer.byteLength(body)),
  }
  const lines = Object.entries(all).map(([name, value]) => `${name}: ${value}\r\n`)
  return Buffer.from(`POST ${path} HTTP/1.1\r\n${lines.join('')}\r\n${body}`)
}

/** Where a chat call of this kind goes: the gateway has one path, the vendor one for each way of answering. */
export function chatPath(model: ChatModel, at: 'gateway' | 'vendor'): string {
  return at === 'gateway' ? '/v1/chat/completions' : `/${model.slice('bench-'.length)}/v1/chat/completions`
}

/** One session per connection, named by header, and a last message that was never sent before; `different`: one of so many. */
export function freshChats(
  model: ChatModel,
  at: 'gateway' | 'vendor',
  connections: number,
  headers: Readonly<Record<string, string>> = {},
  different?: number,
): (connection: number) => Buffer {
  return freshCalls({ path: chatPath(model, at), body: smallChatBody(model), name: model }, connections, headers, different)
}

/** A call whose body has `marker` once, in its last message. */
export interface FreshCall {
  readonly path: string
  readonly body: string
  /** For its sessions. */
  readonly name: string
}

/** As `freshChats`, of any call. */
export function freshCalls(
  { path, body, name }: FreshCall,
  connections: number,
  headers: Readonly<Record<string, string>> = {},
  different = 100_000_000,
): (connection: number) => Buffer {
  const requests = Array.from({ length: connections }, (_, index) =>
    post(path, body, { 'x-turnward-session': `bench-${name}-${index}`, ...headers }),
  )
  const at8 = (requests[0] ?? Buffer.alloc(0)).length - Buffer.byteLength(body) + Buffer.byteLength(body.slice(0, body.lastIndexOf(marker)))
  const offsets = requests.map((request) => at8 + request.length - (requests[0]?.length ?? 0))
  let count = 0
  return (connection) => {
    const request = requests[connection] ?? Buffer.alloc(0)
    count = (count + 1) % different
    request.write(String(count).padStart(8, '0'), offsets[connection] ?? 0, 'latin1')
    // The socket may still hold the bytes of the call before.
    return Buffer.from(request)
  }
}

/** A modern `tools/call`. */
export function toolCall(path: string, name: string): Buffer {
  const args = { query: 'Northwind, open invoices before the end of the week', limit: 20 }
  return modernRequest(path, 'tools/call', { name, arguments: args }, { 'mcp-name': name })
}

/** Any request of the modern era. */
export function modernRequest(path: string, method: string, params: object = {}, headers: Readonly<Record<string, string>> = {}): Buffer {
  const meta = {
    'io.modelcontextprotocol/protocolVersion': modernVersion,
    'io.modelcontextprotocol/clientInfo': { name: 'bench', version: '1.0.0' },
    'io.modelcontextprotocol/clientCapabilities': {},
  }
  const body = JSON.stringify({ jsonrpc: '2.0', id: 1, method, params: { ...params, _meta: meta } })
  return post(path, body, { 'mcp-protocol-version': modernVersion, 'mcp-method': method, ...headers })
}
