/**
 * Edits of a chat-completions request: removing tools, and putting back what denial splicing took out. Whatever is
 * put back leaves a history the vendor accepts: every call answered exactly once, right after it was made.
 */
import { isObject, type JsonObject, type JsonValue } from '../../../core/json.ts'
import type { OfferedTool, SplicedCall, SplicedRound, SpliceRecord } from '../../dialect.ts'
import { isAbsent, objectsOf } from '../../request/fields.ts'
import { answeredCalls, withDropped, withNotices } from '../../request/restoring-order.ts'

export function removeChatTools(body: JsonObject, names: ReadonlySet<string>): void {
  if (names.has('web_search')) delete body.web_search_options
  if (!Array.isArray(body.tools)) return
  const tools = body.tools.filter((tool) => !isObject(tool) || !names.has(toolName(tool)))
  if (tools.length === 0) {
    for (const field of ['tools', 'tool_choice', 'parallel_tool_calls']) delete body[field]
    return
  }
  body.tools = tools
  const choice = body.tool_choice
  if (isObject(choice)) body.tool_choice = choiceWithout(choice, names)
}

export function addChatTools(body: JsonObject, tools: readonly OfferedTool[]): void {
  const added = tools.map(({ name, description, inputSchema }) => ({
    type: 'function',
    function: { name, description, parameters: inputSchema },
  }))
  body.tools = [...(Array.isArray(body.tools) ? body.tools : []), ...added]
}

export function replaceChatResult(body: JsonObject, messageIndex: number, _position: number, text: string): void {
  const message = Array.isArray(body.messages) ? body.messages[messageIndex] : undefined
  if (isToolMessage(message) && isObject(message)) message.content = text
}

function toolName(tool: JsonObject): string {
  const { type } = tool
  const named = type === 'function' || type === 'custom' ? tool[type] : undefined
  if (isObject(named)) return typeof named.name === 'string' ? named.name : ''
  return typeof type === 'string' ? type : ''
}

function choiceWithout(choice: JsonObject, names: ReadonlySet<string>): JsonValue {
  if (choice.type !== 'allowed_tools') return names.has(toolName(choice)) ? 'auto' : choice
  const allowed = isObject(choice.allowed_tools) ? choice.allowed_tools : {}
  const tools = objectsOf(allowed.tools).filter((tool) => !names.has(toolName(tool)))
  // The client allowed only tools that are gone: automatic would allow the others, which it did not want.
  return tools.length === 0 ? 'none' : { ...choice, allowed_tools: { ...allowed, tools } }
}

export function restoreChat(body: JsonObject, messageIndex: number, record: SpliceRecord): number {
  const messages = Array.isArray(body.messages) ? body.messages : []
  const message = messages[messageIndex]
  if (!isObject(message)) return 0
  const before = messages.length

  if (record.delivered !== undefined) {
    const { content } = record.delivered
    // A round without text of its own left only calls: without any, the client's view is all there is.
    if (!isAbsent(content) && content !== '') message.content = content
    else if (objectsOf(message.tool_calls).length > 0 || record.dropped.length > 0) message.content = null
  }
  if (record.dropped.length > 0) {
    const calls = withDropped(objectsOf(message.tool_calls), record.dropped)
    message.tool_calls = calls
    let end = messageIndex + 1
    while (isToolMessage(messages[end])) end++
    const answers = messages.slice(messageIndex + 1, end).filter(isObject)
    const merged = withNotices(
      answers,
      calls.map((call) => call.id),
      record.dropped,
      (answer) => answer.tool_call_id,
      toolMessage,
    )
    messages.splice(messageIndex + 1, answers.length, ...merged)
  }
  messages.splice(messageIndex, 0, ...record.rounds.flatMap(roundMessages))
  return messages.length - before
}

export function addChatNote(body: JsonObject, messageIndex: number, text: string): number {
  const messages = Array.isArray(body.messages) ? body.messages : []
  const message = messages[messageIndex]
  if (!isObject(message) || message.role === 'assistant') return 0
  if (message.role === 'user' && typeof message.content === 'string') message.content = `${message.content}\n\n${text}`
  else if (message.role === 'user' && Array.isArray(message.content)) message.content = [...message.content, { type: 'text', text }]
  else {
    // Not every server takes instructions after the first message, and the words of a tool are not ours.
    messages.splice(messageIndex + 1, 0, { role: 'user', content: text })
    return 1
  }
  return 0
}

function isToolMessage(message: JsonValue | undefined): boolean {
  return isObject(message) && message.role === 'tool'
}

export function appendChatRound(body: JsonObject, round: SplicedRound): void {
  if (Array.isArray(body.messages)) body.messages.push(...roundMessages(round))
}

function roundMessages(round: SplicedRound): JsonObject[] {
  return [round.assistant, ...answeredCalls(objectsOf(round.assistant.tool_calls), round.calls).map(toolMessage)]
}

function toolMessage(call: SplicedCall): JsonObject {
  return { role: 'tool', tool_call_id: call.id, content: call.notice }
}
