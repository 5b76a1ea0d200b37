/** What a vendor was told, in no vendor's words: so one test can say of both dialects that a history is coherent. */
import { historyOfConverse } from './converse-wire.ts'
import { historyOfContents, isGemini } from './gemini-wire.ts'
import type { Json } from './json.ts'
import { historyOfItems } from './responses-wire.ts'
import type { VendorRequest } from './vendor.ts'

export interface HistoryMessage {
  readonly role: string
  readonly text: string
  readonly calls: readonly { readonly id: string; readonly name: string; readonly args: unknown }[]
  readonly results: readonly { readonly id: string; readonly text: string }[]
}

/** The messages of a request, in order; system prompts left out. */
export function historyOf(request: VendorRequest): HistoryMessage[] {
  if (request.path.endsWith('/responses')) return historyOfItems(request.body.input)
  if (isConverse(request)) return historyOfConverse(request.body.messages)
  if (isGemini(request)) return historyOfContents(request.body.contents)
  const messages: Json[] = request.body.messages ?? []
  return messages
    .filter(({ role }) => role !== 'system' && role !== 'developer')
    .map(request.dialect === 'openai' ? chatMessage : nativeMessage)
}

const isConverse = ({ path }: VendorRequest): boolean => /\/converse(-stream)?$/.test(path)

/** Names of the tools the vendor was offered. */
export function offeredTools(request: VendorRequest): string[] {
  const tools: Json[] = request.body.tools ?? request.body.toolConfig?.tools ?? []
  if (isGemini(request)) return tools.flatMap((tool) => ((tool.functionDeclarations ?? []) as Json[]).map(({ name }) => String(name)))
  return tools.map((tool) => String((tool.function ?? tool.toolSpec ?? tool).name))
}

/**
 * Throws unless every call of the history is answered exactly once, before anything else is said, in the order of the
 * calls: what both vendors ask of a conversation.
 */
export function requireCoherent(request: VendorRequest): HistoryMessage[] {
  const history = historyOf(request)
  const seen = new Set<string>()
  for (const [index, message] of history.entries()) {
    if (message.calls.length === 0) continue
    const ids = message.calls.map(({ id }) => id)
    for (const id of ids) {
      if (seen.has(id)) throw new Error(`call ${id} is made twice`)
      seen.add(id)
    }
    const after = history.slice(index + 1)
    const end = after.findIndex(({ results }) => results.length === 0)
    // Chat completions answer in one message each, Messages in one message together.
    const answers = (end === -1 ? after : after.slice(0, end)).flatMap(({ results }) => results.map(({ id }) => id))
    const inNext = after[0]?.results.map(({ id }) => id) ?? []
    const given = request.dialect === 'openai' ? answers : inNext
    if (given.join() !== ids.join()) throw new Error(`calls ${ids.join()} are answered by ${given.join() || 'nothing'}`)
  }
  const answered = history.flatMap(({ results }) => results.map(({ id }) => id))
  for (const id of answered) if (!seen.has(id)) throw new Error(`result ${id} answers no call`)
  return history
}

function chatMessage(message: Json): HistoryMessage {
  const calls: Json[] = message.tool_calls ?? []
  return {
    role: message.role,
    text: message.role === 'tool' ? '' : textOf(message.content),
    calls: calls.map((call) => ({ id: call.id, name: call.function.name, args: JSON.parse(call.function.arguments || '{}') })),
    results: message.role === 'tool' ? [{ id: message.tool_call_id, text: textOf(message.content) }] : [],
  }
}

function nativeMessage(message: Json): HistoryMessage {
  const blocks: Json[] = typeof message.content === 'string' ? [{ type: 'text', text: message.content }] : (message.content ?? [])
  return {
    role: message.role,
    text: textOf(blocks),
    calls: blocks.filter(({ type }) => type === 'tool_use').map(({ id, name, input }) => ({ id, name, args: input })),
    results: blocks
      .filter(({ type }) => type === 'tool_result')
      .map(({ tool_use_id, content }) => ({ id: tool_use_id, text: textOf(content) })),
  }
}

function textOf(content: unknown): string {
  if (typeof content === 'string') return content
  if (!Array.isArray(content)) return ''
  return (content as Json[]).map((part) => (part.type === 'text' ? String(part.text) : '')).join('')
}
