/** Views over a chat-completions request. It refuses what it cannot read for certain, and leaves every field it has no need of alone. */
import type { JsonObject, JsonValue } from '../../../core/json.ts'
import type { MessageView, RequestView, ToolDefinitionView } from '../../dialect.ts'
import {
  invalid,
  isAbsent,
  optionalObjects,
  readStream,
  requireArray,
  requireName,
  requireObject,
  requireString,
  unsupported,
} from '../../request/fields.ts'
import { readChatMessage } from './views.ts'

const maxChoices = 128

/** Throws `request.invalid` or `request.unsupported` naming the field. `known`: views of messages left out of the body. */
export function readChatRequest(body: JsonObject, known: readonly MessageView[] = []): RequestView {
  for (const field of ['functions', 'function_call']) {
    if (!isAbsent(body[field])) throw unsupported(field, 'it is deprecated, use tools and tool_choice')
  }
  checkToolChoice(body.tool_choice)
  const messages = requireArray(body.messages, 'messages')
  if (messages.length + known.length === 0) throw invalid('messages', 'it is empty')
  const views = messages.map((message, index) => readChatMessage(message, known.length + index))
  return {
    model: requireName(body.model, 'model'),
    stream: readStream(body),
    messages: known.length === 0 ? views : [...known, ...views],
    tools: readTools(body),
    wantsUsage: readWantsUsage(body.stream_options),
    choices: readChoices(body.n),
  }
}

function readTools(body: JsonObject): ToolDefinitionView[] {
  const tools = optionalObjects(body.tools, 'tools').map((tool, index) => readTool(tool, `tools[${index}]`))
  // The vendor's own web search is asked for by a field of its own.
  if (!isAbsent(body.web_search_options)) tools.push({ name: 'web_search', runs: 'vendor' })
  return tools
}

function readTool(tool: JsonObject, path: string): ToolDefinitionView {
  const type = requireString(tool.type, `${path}.type`)
  if (type !== 'function' && type !== 'custom') return { name: type, runs: 'vendor' }
  return { name: requireName(requireObject(tool[type], `${path}.${type}`).name, `${path}.${type}.name`), runs: 'client' }
}

/** Refuses a choice that could be read in two ways; which tool it names matters to the vendor only. */
function checkToolChoice(value: JsonValue | undefined): void {
  if (isAbsent(value) || typeof value === 'string') return
  const choice = requireObject(value, 'tool_choice')
  const { type } = choice
  if (type === 'function' || type === 'custom')
    requireName(requireObject(choice[type], `tool_choice.${type}`).name, `tool_choice.${type}.name`)
  else if (type === 'allowed_tools')
    optionalObjects(requireObject(choice.allowed_tools, 'tool_choice.allowed_tools').tools, 'tool_choice.allowed_tools.tools')
  else throw invalid('tool_choice.type', 'it is none of function, custom, allowed_tools')
}

function readWantsUsage(options: JsonValue | undefined): boolean {
  if (isAbsent(options)) return false
  return requireObject(options, 'stream_options').include_usage === true
}

function readChoices(n: JsonValue | undefined): number {
  if (isAbsent(n)) return 1
  if (typeof n !== 'number' || !Number.isInteger(n) || n < 1 || n > maxChoices)
    throw invalid('n', `it must be a whole number from 1 to ${maxChoices}`)
  return n
}
