/** Tool definitions and tool choice of chat-completions. */
import type { JsonObject } from '../../../../core/json.ts'
import { acceptedName } from '../../../hub/accepted-names.ts'
import { given, objectOf, othersOf, tag } from '../../../hub/loose-fields.ts'
import type { HubRequest, HubTool, HubToolChoice } from '../../../hub/conversation.ts'
import { isOpenAiModel } from '../../../hub/model-families.ts'
import { invalid, requireName, requireObjects, unsupported } from '../../../request/fields.ts'

const known: ReadonlySet<string> = new Set(['name', 'description', 'parameters', 'strict', 'cache_control'])

/** Throws `request.invalid` naming the tool. */
export function readTools(body: JsonObject): HubTool[] {
  const tools = given(body, 'tools')
  if (tools === undefined) return []
  return requireObjects(tools, 'tools').map((tool, index) => {
    const at = `tools[${index}]`
    const made = objectOf(tool.function)
    if (tool.type !== 'function' || made === undefined)
      return { kind: 'native', family: 'openai', called: `a tool of type ${tag(tool.type)}`, value: tool, at, runs: 'client' }
    return {
      kind: 'function',
      name: requireName(made.name, `${at}.function.name`),
      description: given(made, 'description'),
      schema: objectOf(made.parameters),
      strict: given(made, 'strict'),
      cache: given(tool, 'cache_control') ?? given(made, 'cache_control'),
      at,
      extras: { openai: othersOf(made, known) },
    }
  })
}

const choiceModes: Readonly<Record<string, 'auto' | 'none' | 'required'>> = { auto: 'auto', none: 'none', required: 'required' }

/** Throws `request.invalid`. */
export function readChoice(body: JsonObject): HubToolChoice | undefined {
  const choice = given(body, 'tool_choice')
  if (choice === undefined) return undefined
  if (typeof choice === 'string') {
    const mode = Object.hasOwn(choiceModes, choice) ? choiceModes[choice] : undefined
    if (mode === undefined) throw invalid('tool_choice', 'it must be auto, none, required or a function')
    return { mode }
  }
  const named = objectOf(choice)
  if (named?.type !== 'function') return { mode: 'native', family: 'openai', called: `a choice of type ${tag(named?.type)}`, value: choice }
  return { mode: 'tool', name: requireName(objectOf(named.function)?.name, 'tool_choice.function.name') }
}

/** `tools`, `tool_choice` and `parallel_tool_calls`. */
export function writeTools(request: HubRequest): JsonObject {
  if (request.tools.length === 0) return {}
  const { choice, parallelCalls } = request
  return {
    tools: request.tools.map((tool) => writeTool(tool, request.model)),
    ...(choice === undefined ? {} : { tool_choice: writeChoice(choice, request.model) }),
    ...(parallelCalls === undefined ? {} : { parallel_tool_calls: parallelCalls }),
  }
}

function writeTool(tool: HubTool, model: string): JsonObject {
  if (tool.kind === 'native') {
    if (tool.family === 'openai') return tool.value
    throw unsupported(tool.at, `${tool.called} has no counterpart in chat-completions`)
  }
  const made: JsonObject = { name: chatName(tool.name, tool.at, model) }
  if (tool.description !== undefined) made.description = tool.description
  made.parameters = objectSchema(tool.schema)
  if (tool.strict !== undefined) made.strict = tool.strict
  return { type: 'function', function: { ...tool.extras?.openai, ...made } }
}

/** OpenAI refuses a schema that does not say what an object's properties are, even if there are none. */
function objectSchema(schema: JsonObject | undefined): JsonObject {
  const typed: JsonObject = schema?.type === undefined ? { type: 'object', ...schema } : schema
  return typed.type === 'object' && objectOf(typed.properties) === undefined ? { ...typed, properties: {} } : typed
}

function writeChoice(choice: HubToolChoice, model: string): JsonObject[string] {
  if (choice.mode === 'tool') return { type: 'function', function: { name: chatName(choice.name, 'tool_choice', model) } }
  if (choice.mode !== 'native') return choice.mode
  if (choice.family === 'openai') return choice.value
  throw unsupported('tool_choice', `${choice.called} has no counterpart in chat-completions`)
}

const maxName = 64

/** The name of a tool as the model's server takes it. Throws `request.unsupported` for one it would refuse. */
export function chatName(name: string, at: string, model: string): string {
  const written = acceptedName(name)
  if (written.length > maxName && isOpenAiModel(model))
    throw unsupported(
      at,
      `its name has more than ${maxName} characters, which this model's vendor refuses`,
      'Give the tool a shorter name.',
    )
  return written
}
