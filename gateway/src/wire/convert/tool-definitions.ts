/** Tool definitions and tool choice in both dialects. Tools that a vendor runs itself have no counterpart and are refused. */
import type { JsonObject } from '../../core/json.ts'
import { invalid, requireName, unsupported } from '../request/fields.ts'
import { copyGiven, given, objectOf, requireObjects, stringOf, tag } from './reading.ts'

const emptySchema = (): JsonObject => ({ type: 'object', properties: {} })

/** chat `tools` to messages `tools`; undefined when there are none. */
export function chatToolsToMessages(body: JsonObject): JsonObject[] | undefined {
  const tools = given(body, 'tools')
  if (tools === undefined) return undefined
  const converted = requireObjects(tools, 'tools').map((tool, index) => {
    const field = `tools[${index}]`
    const definition = objectOf(tool.function)
    if (tool.type !== 'function' || definition === undefined)
      throw unsupported(field, `a tool of type ${tag(tool.type)} has no counterpart in the messages API`)
    const result: JsonObject = { name: requireName(definition.name, `${field}.function.name`) }
    copyGiven(definition, result, ['description'])
    result.input_schema = objectSchema(objectOf(definition.parameters))
    copyGiven(definition, result, ['strict', 'cache_control'])
    copyGiven(tool, result, ['cache_control'])
    return result
  })
  return converted.length === 0 ? undefined : converted
}

/** The messages API requires `type: object`; a tool without parameters takes an empty object. */
function objectSchema(parameters: JsonObject | undefined): JsonObject {
  if (parameters === undefined || Object.keys(parameters).length === 0) return emptySchema()
  return parameters.type === undefined ? { type: 'object', ...parameters } : parameters
}

/** Definitions for tools that a history calls but the request no longer offers: the messages API wants them named. */
export function historicTools(names: ReadonlySet<string>): JsonObject[] {
  return [...names].map((name) => ({ name, input_schema: { type: 'object' } }))
}

const choiceWords: Readonly<Record<string, string>> = { auto: 'auto', none: 'none', required: 'any' }

/** chat `tool_choice` and `parallel_tool_calls` to messages `tool_choice`; undefined when neither says anything. */
export function chatChoiceToMessages(body: JsonObject): JsonObject | undefined {
  const choice = chatChoice(body)
  if (body.parallel_tool_calls !== false || choice?.type === 'none') return choice
  return { ...(choice ?? { type: 'auto' }), disable_parallel_tool_use: true }
}

function chatChoice(body: JsonObject): JsonObject | undefined {
  const choice = given(body, 'tool_choice')
  if (choice === undefined) return undefined
  if (typeof choice === 'string') {
    const word = Object.hasOwn(choiceWords, choice) ? choiceWords[choice] : undefined
    if (word === undefined) throw invalid('tool_choice', 'it must be auto, none, required or a function')
    return { type: word }
  }
  const named = objectOf(choice)
  if (named?.type !== 'function')
    throw unsupported('tool_choice', `a choice of type ${tag(named?.type)} has no counterpart in the messages API`)
  return { type: 'tool', name: requireName(objectOf(named.function)?.name, 'tool_choice.function.name') }
}

/** messages `tools` to chat `tools`; undefined when there are none. */
export function messagesToolsToChat(body: JsonObject): JsonObject[] | undefined {
  const tools = given(body, 'tools')
  if (tools === undefined) return undefined
  const converted = requireObjects(tools, 'tools').map((tool, index) => {
    const kind = given(tool, 'type')
    if (kind !== undefined && kind !== 'custom')
      throw unsupported(`tools[${index}]`, `a tool of type ${tag(kind)} has no counterpart in chat-completions`)
    const definition: JsonObject = { name: requireName(tool.name, `tools[${index}].name`) }
    copyGiven(tool, definition, ['description'])
    definition.parameters = objectOf(tool.input_schema) ?? emptySchema()
    copyGiven(tool, definition, ['strict'])
    return { type: 'function', function: definition }
  })
  return converted.length === 0 ? undefined : converted
}

/** Sets `tool_choice` and `parallel_tool_calls` of a chat request from messages `tool_choice`. */
export function messagesChoiceToChat(body: JsonObject, request: JsonObject): void {
  const choice = objectOf(body.tool_choice)
  if (choice === undefined) return
  switch (choice.type) {
    case 'auto':
    case 'none':
      request.tool_choice = choice.type
      break
    case 'any':
      request.tool_choice = 'required'
      break
    case 'tool':
      request.tool_choice = { type: 'function', function: { name: requireName(choice.name, 'tool_choice.name') } }
      break
    default:
      throw unsupported('tool_choice', `a choice of type ${tag(stringOf(choice.type))} has no counterpart in chat-completions`)
  }
  if (choice.disable_parallel_tool_use === true) request.parallel_tool_calls = false
}
