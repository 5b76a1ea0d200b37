/** Tool definitions and tool choice of responses. */
import type { JsonObject, JsonValue } from '../../../../core/json.ts'
import { acceptedName } from '../../../hub/accepted-names.ts'
import type { HubRequest, HubTool, HubToolChoice } from '../../../hub/conversation.ts'
import { given, objectOf, othersOf, stringOf, tag } from '../../../hub/loose-fields.ts'
import { requireName, requireObjects, unsupported, invalid } from '../../../request/fields.ts'
import { isClientSearch, runsOnClient } from '../tools.ts'
import { neutralName, searchName } from './names.ts'

const known: ReadonlySet<string> = new Set(['type', 'name', 'description', 'parameters', 'strict'])

/** Throws `request.invalid` naming the tool. Tools that a search of the client's has found are offered like those of the request. */
export function readTools(body: JsonObject): HubTool[] {
  const offered = readList(given(body, 'tools'), 'tools')
  const names = new Set(offered.map((tool) => (tool.kind === 'function' ? tool.name : '')))
  for (const [index, item] of (Array.isArray(body.input) ? body.input : []).entries()) {
    const found = objectOf(item)
    if (found?.type !== 'tool_search_output') continue
    for (const tool of readList(given(found, 'tools'), `input[${index}].tools`)) {
      if (tool.kind !== 'function' || names.has(tool.name)) continue
      names.add(tool.name)
      offered.push(tool)
    }
  }
  return offered
}

function readList(tools: JsonValue | undefined, at: string): HubTool[] {
  return tools === undefined ? [] : requireObjects(tools, at).flatMap((tool, index) => readTool(tool, `${at}[${index}]`, undefined))
}

/** What a search has found, as its model is told: the tools by the names it may call them by. */
export function foundTools(output: JsonObject, at: string): string {
  const found = readList(given(output, 'tools'), `${at}.tools`)
  return JSON.stringify(
    found.flatMap((tool) => (tool.kind === 'function' ? [{ name: acceptedName(tool.name), description: tool.description ?? '' }] : [])),
  )
}

/** What a search is asked, where the client does not say. */
const searchSchema: JsonObject = { type: 'object', properties: { query: { type: 'string' } }, required: ['query'] }

function readTool(tool: JsonObject, at: string, namespace: string | undefined): HubTool[] {
  if (tool.type === 'namespace' && namespace === undefined) {
    const name = requireName(tool.name, `${at}.name`)
    return requireObjects(tool.tools ?? [], `${at}.tools`).flatMap((inner, index) => readTool(inner, `${at}.tools[${index}]`, name))
  }
  if (tool.type === 'custom') {
    const description = [stringOf(tool.description) ?? '', grammarOf(tool)].filter((text) => text !== '').join('\n\n')
    const name = neutralName(tool, requireName(tool.name, `${at}.name`), namespace)
    return [{ kind: 'function', name, description, schema: inputSchema, strict: undefined, at }]
  }
  if (isClientSearch(tool)) {
    const schema = objectOf(tool.parameters) ?? searchSchema
    return [{ kind: 'function', name: searchName, description: given(tool, 'description'), schema, strict: undefined, at }]
  }
  if (tool.type !== 'function') {
    const runs = runsOnClient(tool) ? 'client' : 'vendor'
    return [{ kind: 'native', family: 'responses', called: `a tool of type ${tag(tool.type)}`, value: tool, at, runs }]
  }
  return [
    {
      kind: 'function',
      name: neutralName(tool, requireName(tool.name, `${at}.name`), namespace),
      description: given(tool, 'description'),
      schema: objectOf(tool.parameters),
      strict: given(tool, 'strict'),
      at,
      extras: { responses: othersOf(tool, known) },
    },
  ]
}

/** A custom tool is called with one text. */
const inputSchema: JsonObject = { type: 'object', properties: { input: { type: 'string' } }, required: ['input'] }

function grammarOf({ format }: JsonObject): string {
  const grammar = objectOf(format)
  if (grammar?.type !== 'grammar') return ''
  return `\`input\` follows this grammar (${stringOf(grammar.syntax) ?? 'lark'}):\n${stringOf(grammar.definition) ?? ''}`
}

const choiceModes: Readonly<Record<string, 'auto' | 'none' | 'required'>> = { auto: 'auto', none: 'none', required: 'required' }

/** Throws `request.invalid`. */
export function readChoice(body: JsonObject): HubToolChoice | undefined {
  const choice = given(body, 'tool_choice')
  if (choice === undefined) return undefined
  if (typeof choice === 'string') {
    const mode = Object.hasOwn(choiceModes, choice) ? choiceModes[choice] : undefined
    if (mode === undefined) throw invalid('tool_choice', 'it must be auto, none, required or a tool')
    return { mode }
  }
  const named = objectOf(choice)
  if (named?.type === 'function' || named?.type === 'custom')
    return { mode: 'tool', name: neutralName(named, requireName(named.name, 'tool_choice.name'), stringOf(named.namespace)) }
  return { mode: 'native', family: 'responses', called: `a choice of type ${tag(named?.type)}`, value: choice }
}

/** `tools`, `tool_choice` and `parallel_tool_calls`. */
export function writeTools({ tools, choice, parallelCalls }: HubRequest): JsonObject {
  if (tools.length === 0) return {}
  return {
    tools: tools.map(writeTool),
    ...(choice === undefined ? {} : { tool_choice: writeChoice(choice) }),
    ...(parallelCalls === undefined ? {} : { parallel_tool_calls: parallelCalls }),
  }
}

function writeTool(tool: HubTool): JsonObject {
  if (tool.kind === 'native') {
    if (tool.family === 'responses') return tool.value
    throw unsupported(tool.at, `${tool.called} has no counterpart in responses`)
  }
  const written: JsonObject = { ...tool.extras?.responses, type: 'function', name: responsesName(tool.name, tool.at) }
  if (tool.description !== undefined) written.description = tool.description
  const { schema } = tool
  const typed: JsonObject = schema?.type === undefined ? { type: 'object', ...schema } : schema
  written.parameters = typed.type === 'object' && objectOf(typed.properties) === undefined ? { ...typed, properties: {} } : typed
  // Left out it would mean true here, and nowhere else.
  written.strict = tool.strict ?? false
  return written
}

function writeChoice(choice: HubToolChoice): JsonObject[string] {
  if (choice.mode === 'tool') return { type: 'function', name: responsesName(choice.name, 'tool_choice') }
  if (choice.mode !== 'native') return choice.mode
  if (choice.family === 'responses') return choice.value
  throw unsupported('tool_choice', `${choice.called} has no counterpart in responses`)
}

const maxName = 128

/** The name of a tool as the vendor takes it. Throws `request.unsupported` for one it would refuse. */
export function responsesName(name: string, at: string): string {
  const written = acceptedName(name)
  if (written.length > maxName)
    throw unsupported(at, `its name has more than ${maxName} characters, which responses refuses`, 'Give the tool a shorter name.')
  return written
}
