/** Tool definitions and tool choice of the messages dialect. */
import { runsOnClient } from '../tools.ts'
import type { JsonObject } from '../../../../core/json.ts'
import { acceptedName } from '../../../hub/accepted-names.ts'
import { given, objectOf, othersOf, stringOf, tag } from '../../../hub/loose-fields.ts'
import type { HubRequest, HubTool, HubToolChoice } from '../../../hub/conversation.ts'
import { invalid, requireName, requireObjects, unsupported } from '../../../request/fields.ts'

const known: ReadonlySet<string> = new Set(['type', 'name', 'description', 'input_schema', 'strict', 'cache_control'])

/** Throws `request.invalid` naming the tool. */
export function readTools(body: JsonObject): HubTool[] {
  const tools = given(body, 'tools')
  if (tools === undefined) return []
  return requireObjects(tools, 'tools').map((tool, index) => {
    const at = `tools[${index}]`
    const type = given(tool, 'type')
    if (type !== undefined && type !== 'custom')
      return {
        kind: 'native',
        family: 'anthropic',
        called: `a tool of type ${tag(type)}`,
        value: tool,
        at,
        runs: runsOnClient(tool) ? 'client' : 'vendor',
      }
    return {
      kind: 'function',
      name: requireName(tool.name, `${at}.name`),
      description: given(tool, 'description'),
      schema: objectOf(tool.input_schema),
      strict: given(tool, 'strict'),
      cache: given(tool, 'cache_control'),
      at,
      extras: { anthropic: othersOf(tool, known) },
    }
  })
}

const choiceModes: Readonly<Record<string, 'auto' | 'none' | 'required'>> = { auto: 'auto', none: 'none', any: 'required' }
const choiceTypes = { auto: 'auto', none: 'none', required: 'any' } as const

export function readChoice(body: JsonObject): HubToolChoice | undefined {
  const choice = objectOf(body.tool_choice)
  if (choice === undefined) return undefined
  const type = stringOf(choice.type) ?? ''
  const mode = Object.hasOwn(choiceModes, type) ? choiceModes[type] : undefined
  if (mode !== undefined) return { mode }
  if (type === 'tool') return { mode: 'tool', name: requireName(choice.name, 'tool_choice.name') }
  return { mode: 'native', family: 'anthropic', called: `a choice of type ${tag(type)}`, value: choice }
}

/** False when the choice asks for one call at a time. */
export function readParallel(body: JsonObject): boolean | undefined {
  return objectOf(body.tool_choice)?.disable_parallel_tool_use === true ? false : undefined
}

/** `tools` and `tool_choice`. `calledTools`: what the history calls must be defined, whether it is offered or not. */
export function writeTools(request: HubRequest, calledTools: ReadonlySet<string>): JsonObject {
  const choice = writeChoice(request)
  if (request.tools.length > 0) return { tools: request.tools.map(writeTool), ...(choice === undefined ? {} : { tool_choice: choice }) }
  if (choice?.type === 'any' || choice?.type === 'tool') throw invalid('tool_choice', 'it asks for a call but there are no tools')
  if (calledTools.size === 0) return {}
  // That no tool is offered stays true through the choice.
  return { tools: [...calledTools].map((name) => ({ name, input_schema: { type: 'object' } })), tool_choice: { type: 'none' } }
}

function writeTool(tool: HubTool): JsonObject {
  if (tool.kind === 'native') {
    if (tool.family === 'anthropic') return tool.value
    throw unsupported(tool.at, `${tool.called} has no counterpart in the messages API`)
  }
  const written: JsonObject = { ...tool.extras?.anthropic, name: messagesName(tool.name, tool.at) }
  if (tool.description !== undefined) written.description = tool.description
  written.input_schema = objectSchema(tool.schema)
  if (tool.strict !== undefined) written.strict = tool.strict
  if (tool.cache !== undefined) written.cache_control = tool.cache
  return written
}

/** The messages API requires `type: object`; a tool without parameters takes an empty object. */
function objectSchema(schema: JsonObject | undefined): JsonObject {
  if (schema === undefined || Object.keys(schema).length === 0) return { type: 'object', properties: {} }
  return schema.type === undefined ? { type: 'object', ...schema } : schema
}

function writeChoice({ choice, parallelCalls }: HubRequest): JsonObject | undefined {
  const written = choiceOf(choice)
  if (parallelCalls !== false || written?.type === 'none') return written
  return { ...(written ?? { type: 'auto' }), disable_parallel_tool_use: true }
}

function choiceOf(choice: HubToolChoice | undefined): JsonObject | undefined {
  if (choice === undefined) return undefined
  if (choice.mode === 'tool') return { type: 'tool', name: messagesName(choice.name, 'tool_choice') }
  if (choice.mode !== 'native') return { type: choiceTypes[choice.mode] }
  if (choice.family === 'anthropic') return objectOf(choice.value) ?? {}
  throw unsupported('tool_choice', `${choice.called} has no counterpart in the messages API`)
}

const maxName = 128

/** The name of a tool as Anthropic takes it. Throws `request.unsupported` for one it would refuse. */
export function messagesName(name: string, at: string): string {
  const written = acceptedName(name)
  if (written.length > maxName)
    throw unsupported(at, `its name has more than ${maxName} characters, which the messages API refuses`, 'Give the tool a shorter name.')
  return written
}
