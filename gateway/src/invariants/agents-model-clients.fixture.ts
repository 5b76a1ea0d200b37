/** The clients of the agents model test: programs that somebody else wrote. How each names its tools, its conversations and its sub-agents, and what it sends. */
import fc from 'fast-check'
import type { RuledTool, Words } from './agents-model-rules.fixture.ts'

/** How clients write the name of a tool of a server. */
const prefixes = ['', 'mcp__tw__', 'tw_', 'tw__', 'foo.bar:', 'mcp_tw_', 'acme/'] as const

export const clientKind = fc.record({
  wire: fc.constantFrom('openai' as const, 'anthropic' as const),
  streams: fc.boolean(),
  /** The application, and the agent in it, whose key it has. */
  owner: fc.nat(2),
  prefix: fc.constantFrom(...prefixes),
  /** Calls tools of servers through one tool of its own; the call within it is an object, or JSON text. */
  through: fc.constantFrom('no' as const, 'no' as const, 'object' as const, 'text' as const),
  /** Sends calls back, and makes them, with defaults filled in. */
  fills: fc.boolean(),
  /** Puts words of its own beside results, where the dialect lets it. */
  reminds: fc.boolean(),
  /** Sends the id of the model's call with the tool call. */
  sendsCallId: fc.boolean(),
  /**
   * How it names its conversations: not at all, by a name of its own, by the id the gateway returned, or as a known client.
   * `named, agents too`: its sub-agents have names of their own; otherwise they go under the name of the whole run.
   */
  names: fc.constantFrom(
    'none' as const,
    'none' as const,
    'none' as const,
    'named' as const,
    'named, agents too' as const,
    'returned' as const,
    'opencode' as const,
    'claude-code' as const,
  ),
  /** Says the name of the conversation at the MCP endpoint too. */
  namesTools: fc.boolean(),
})
export type ClientKind = typeof clientKind extends fc.Arbitrary<infer T> ? T : never

/** The tool of each kind of client that starts a sub-agent. */
export function spawnTool({ names }: ClientKind): string {
  return {
    none: 'spawn_agent',
    returned: 'spawn_agent',
    named: 'delegate',
    'named, agents too': 'agent',
    opencode: 'task',
    'claude-code': 'Task',
  }[names]
}

export const throughTool = 'run_any'
const servers = /^[a-z]+__/

/** The name of a tool as the model of this client knows it. */
export function nameFor(kind: ClientKind, tool: RuledTool): string {
  return servers.test(tool) ? `${kind.prefix}${tool}` : tool
}

/** What the tools of the servers fill in. */
const defaults: Readonly<Record<string, object>> = { notes__look: { page: 1 }, mail__send: { priority: 'normal' } }

export function filled(kind: ClientKind, tool: string, args: object): object {
  return kind.fills ? { ...defaults[tool], ...args } : args
}

/** A call as the model makes it. */
export function proposed(kind: ClientKind, tool: RuledTool, args: object): { readonly name: string; readonly args: object } {
  const name = nameFor(kind, tool)
  if (kind.through === 'no' || !servers.test(tool)) return { name, args }
  return { name: throughTool, args: { tool: name, input: kind.through === 'text' ? JSON.stringify(args) : args } }
}

/** Everything the client offers its model. */
export function offerOf(kind: ClientKind, tools: readonly RuledTool[], mayStartAgents: boolean): string[] {
  const own = tools.filter((tool) => !servers.test(tool))
  const ours = kind.through === 'no' ? tools.filter((tool) => servers.test(tool)).map((tool) => nameFor(kind, tool)) : [throughTool]
  return [...ours, ...own, ...(mayStartAgents ? [spawnTool(kind)] : [])]
}

/** One message of a conversation as the client keeps it. */
export type Item =
  | { readonly role: 'user'; readonly words: Words }
  | {
      readonly role: 'assistant'
      readonly words: Words
      readonly calls: readonly { readonly id: string; readonly name: string; readonly args: object }[]
    }
  | {
      readonly role: 'results'
      readonly results: readonly { readonly id: string; readonly words: Words; readonly failed: boolean }[]
      readonly words: Words
    }

/** The body of a model call. */
export function bodyOf({ wire, streams: stream, reminds }: ClientKind, items: readonly Item[], tools: readonly string[]): object {
  if (wire === 'openai')
    return {
      model: 'chat',
      stream,
      tools: tools.map((name) => ({ type: 'function', function: { name, parameters: { type: 'object' } } })),
      messages: [{ role: 'system', content: 'You help.' }, ...items.flatMap(chatMessages)],
    }
  return {
    model: 'native',
    stream,
    max_tokens: 100,
    system: 'You help.',
    tools: tools.map((name) => ({ name, input_schema: { type: 'object' } })),
    messages: items.map((item) => nativeMessage(item, reminds)),
  }
}

function chatMessages(item: Item): object[] {
  if (item.role === 'user') return [{ role: 'user', content: item.words.text }]
  if (item.role === 'results') return item.results.map(({ id, words }) => ({ role: 'tool', tool_call_id: id, content: words.text }))
  const calls = item.calls.map(({ id, name, args }) => ({ id, type: 'function', function: { name, arguments: JSON.stringify(args) } }))
  return [
    { role: 'assistant', content: item.words.text === '' ? null : item.words.text, ...(calls.length === 0 ? {} : { tool_calls: calls }) },
  ]
}

function nativeMessage(item: Item, reminds: boolean): object {
  if (item.role === 'user') return { role: 'user', content: item.words.text }
  if (item.role === 'results')
    return {
      role: 'user',
      content: [
        ...item.results.map(({ id, words, failed }) => ({
          type: 'tool_result',
          tool_use_id: id,
          content: words.text,
          ...(failed ? { is_error: true } : {}),
        })),
        ...(reminds ? [{ type: 'text', text: 'Remember the list.' }] : []),
      ],
    }
  const text = item.words.text === '' ? [] : [{ type: 'text', text: item.words.text }]
  return { role: 'assistant', content: [...text, ...item.calls.map(({ id, name, args }) => ({ type: 'tool_use', id, name, input: args }))] }
}

/** How a conversation is named: its own name, and that of the one that started it when it is a sub-agent's. */
export interface Named {
  readonly name: string
  readonly parent: Named | undefined
  /** The id the gateway has returned. */
  readonly returned: string | undefined
}

/** The headers that name a conversation in a model call. */
export function modelHeaders({ names }: ClientKind, conversation: Named): Record<string, string> {
  const { name, parent, returned } = conversation
  if (names === 'returned' && returned !== undefined) return { 'x-turnward-session': returned }
  if (names === 'named') return { 'x-turnward-session': top(conversation).name }
  if (names === 'named, agents too') return { 'x-turnward-session': name }
  if (names === 'opencode')
    return {
      'user-agent': 'opencode/1.18.33 ai-sdk',
      'x-session-id': name,
      ...(parent === undefined ? {} : { 'x-parent-session-id': parent.name }),
    }
  if (names === 'claude-code')
    return {
      'user-agent': 'claude-cli/2.1.332 (external, sdk-cli)',
      'x-claude-code-session-id': top(conversation).name,
      ...(parent === undefined ? {} : { 'x-claude-code-agent-id': name }),
    }
  return {}
}

/** The headers that name a conversation in a tool call. */
export function toolHeaders(kind: ClientKind, conversation: Named): Record<string, string> {
  const ours = kind.names === 'named' || kind.names === 'named, agents too' || kind.names === 'returned'
  return kind.namesTools && ours ? modelHeaders(kind, conversation) : {}
}

function top(conversation: Named): Named {
  return conversation.parent === undefined ? conversation : top(conversation.parent)
}

/** Whether the gateway knows the conversation by a name, so that it stays the same whatever becomes of its history. */
export function isNamed(kind: ClientKind, { returned }: Named): boolean {
  return kind.names !== 'none' && (kind.names !== 'returned' || returned !== undefined)
}
