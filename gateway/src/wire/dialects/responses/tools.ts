/** Which tools of a responses request the client runs, and what each is called. */
import { asText, isObject, type JsonObject, type JsonValue } from '../../../core/json.ts'
import type { TurnwardError } from '../../../core/error.ts'
import type { ToolDefinitionView } from '../../dialect.ts'
import { invalid, isAbsent, optionalObjects, requireName, requireObject, requireString, unsupported } from '../../request/fields.ts'
import { fullName } from './calls.ts'

/** Tools the vendor defines and the client runs. */
const clientRun: ReadonlySet<string> = new Set(['local_shell', 'apply_patch'])

/** Throws `request.invalid` or `request.unsupported` naming the tool. */
export function readTools(value: JsonValue | undefined, path = 'tools'): ToolDefinitionView[] {
  return optionalObjects(value, path).flatMap((tool, index) => readTool(tool, `${path}[${index}]`))
}

function readTool(tool: JsonObject, path: string): ToolDefinitionView[] {
  const type = requireString(tool.type, `${path}.type`)
  if (type === 'function' || type === 'custom') return [{ name: requireName(tool.name, `${path}.name`), runs: 'client' }]
  if (type === 'namespace') {
    const namespace = requireName(tool.name, `${path}.name`)
    return optionalObjects(tool.tools, `${path}.tools`).map((inner, index) => {
      const at = `${path}.tools[${index}]`
      if (inner.type !== 'function' && inner.type !== 'custom')
        throw unsupported(`${at}.type`, 'a namespace holds function and custom tools')
      return { name: fullName(namespace, requireName(inner.name, `${at}.name`)), runs: 'client' }
    })
  }
  if (type.startsWith('computer')) throw computerRefused(path)
  return [{ name: nameOf(tool), runs: runsOnClient(tool) ? 'client' : 'vendor' }]
}

/** An action of a computer tool has a picture for an answer, with the checks of the vendor's that somebody has acknowledged. */
export function computerRefused(path: string): TurnwardError {
  return unsupported(path, 'a refused action could not be told to the model, which takes a picture for an answer', 'Offer a function tool.')
}

/** False for tools the vendor runs inside the call: searches, interpreters, remote servers, and whatever is newer than this code. */
export function runsOnClient(tool: JsonObject): boolean {
  if (tool.type === 'shell') return !isObject(tool.environment) || tool.environment.type === 'local'
  if (tool.type === 'tool_search') return isClientSearch(tool)
  return clientRun.has(asText(tool.type))
}

/** Whether a tool is a search for tools that the client makes itself. */
export function isClientSearch(tool: JsonObject): boolean {
  return tool.type === 'tool_search' && tool.execution === 'client'
}

/** The name of a tool outside of namespaces; its type where it has none, without the date some types carry. */
function nameOf(tool: JsonObject): string {
  const { type, name } = tool
  if ((type === 'function' || type === 'custom') && typeof name === 'string') return name
  if (typeof type !== 'string') return ''
  return type.startsWith('web_search') ? 'web_search' : type
}

/** Refuses a choice that could be read in two ways; which tool it names matters to the vendor only. */
export function checkToolChoice(value: JsonValue | undefined): void {
  if (isAbsent(value) || typeof value === 'string') return
  const choice = requireObject(value, 'tool_choice')
  if (choice.type === 'function' || choice.type === 'custom') requireName(choice.name, 'tool_choice.name')
  else if (choice.type === 'allowed_tools') optionalObjects(choice.tools, 'tool_choice.tools')
  else if (typeof choice.type !== 'string') throw invalid('tool_choice.type', 'it must be a string')
}

export function removeTools(body: JsonObject, names: ReadonlySet<string>): void {
  if (!Array.isArray(body.tools)) return
  const tools = body.tools.flatMap((tool): JsonValue[] => (isObject(tool) ? withoutNames(tool, names) : [tool]))
  if (tools.length === 0) {
    for (const field of ['tools', 'tool_choice', 'parallel_tool_calls']) delete body[field]
    return
  }
  body.tools = tools
  if (isObject(body.tool_choice)) body.tool_choice = choiceWithout(body.tool_choice, names)
}

function withoutNames(tool: JsonObject, names: ReadonlySet<string>): JsonObject[] {
  if (tool.type !== 'namespace' || !Array.isArray(tool.tools)) return names.has(nameOf(tool)) ? [] : [tool]
  const kept = tool.tools.filter((inner) => !isObject(inner) || !names.has(fullName(tool.name, asText(inner.name))))
  if (kept.length === tool.tools.length) return [tool]
  return kept.length === 0 ? [] : [{ ...tool, tools: kept }]
}

function choiceWithout(choice: JsonObject, names: ReadonlySet<string>): JsonValue {
  if (choice.type !== 'allowed_tools') return names.has(nameOf(choice)) ? 'auto' : choice
  const tools = Array.isArray(choice.tools) ? choice.tools.filter((tool) => !isObject(tool) || !names.has(nameOf(tool))) : []
  // The client allowed only tools that are gone: automatic would allow the others, which it did not want.
  return tools.length === 0 ? 'none' : { ...choice, tools }
}
