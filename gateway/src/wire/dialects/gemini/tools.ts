/** The tools of a Gemini request: functions the client runs, and tools with a field of their own, which the vendor runs. */
import { isObject, type JsonObject } from '../../../core/json.ts'
import type { OfferedTool, ToolDefinitionView } from '../../dialect.ts'
import { isAbsent, optionalObjects, requireName, requireObject, unsupported } from '../../request/fields.ts'

const functions = 'functionDeclarations'
/** Defined by the vendor, and run by the client. */
const clientRun: ReadonlySet<string> = new Set(['computerUse'])

/** Throws `request.invalid` or `request.unsupported` naming the tool. */
export function readTools(body: JsonObject): ToolDefinitionView[] {
  return optionalObjects(body.tools, 'tools').flatMap((tool, index) =>
    Object.keys(tool).flatMap((key): ToolDefinitionView[] => {
      const at = `tools[${index}].${key}`
      if (isAbsent(tool[key])) return []
      if (key === 'mcpServers') throw unsupported(at, 'register the servers with the gateway and call their tools from the client')
      if (key !== functions) return [{ name: key, runs: clientRun.has(key) ? 'client' : 'vendor' }]
      return optionalObjects(tool[key], at).map((one, place) => ({ name: requireName(one.name, `${at}[${place}].name`), runs: 'client' }))
    }),
  )
}

export function addTools(body: JsonObject, tools: readonly OfferedTool[]): void {
  const added = tools.map(({ name, description, inputSchema }) => ({ name, description, parametersJsonSchema: inputSchema }))
  const list = Array.isArray(body.tools) ? [...body.tools] : []
  // The vendor takes one list of functions.
  const at = list.findIndex((tool) => isObject(tool) && Array.isArray(tool[functions]))
  const before = list[at]
  if (isObject(before)) list[at] = { ...before, [functions]: [...(before[functions] as JsonObject[]), ...added] }
  else list.push({ [functions]: added })
  body.tools = list
}

export function removeTools(body: JsonObject, names: ReadonlySet<string>): void {
  if (!Array.isArray(body.tools)) return
  const tools = body.tools.filter(isObject).flatMap((tool) => {
    const kept: JsonObject = {}
    for (const [key, value] of Object.entries(tool)) {
      if (key !== functions || !Array.isArray(value)) {
        if (!names.has(key)) kept[key] = value
        continue
      }
      const left = value.filter((one) => !isObject(one) || typeof one.name !== 'string' || !names.has(one.name))
      if (left.length > 0) kept[key] = left
    }
    return Object.keys(kept).length === 0 ? [] : [kept]
  })
  if (tools.length === 0) delete body.tools
  else body.tools = tools
  if (isObject(body.toolConfig)) settleConfig(body, body.toolConfig, names, tools)
}

function settleConfig(body: JsonObject, toolConfig: JsonObject, names: ReadonlySet<string>, tools: readonly JsonObject[]): void {
  const { functionCallingConfig: config, ...rest } = toolConfig
  if (!isObject(config)) return
  const next = tools.some((tool) => Array.isArray(tool[functions])) ? withoutNames(config, names) : undefined
  const settled = next === undefined ? rest : { ...rest, functionCallingConfig: next }
  if (Object.keys(settled).length === 0) delete body.toolConfig
  else body.toolConfig = settled
}

/** A forced choice of nothing but removed functions becomes automatic. */
function withoutNames(config: JsonObject, names: ReadonlySet<string>): JsonObject {
  const { allowedFunctionNames: allowed, ...rest } = config
  if (!Array.isArray(allowed)) return config
  const left = allowed.filter((name) => typeof name !== 'string' || !names.has(name))
  return left.length === 0 && allowed.length > 0 ? { ...rest, mode: 'AUTO' } : { ...rest, allowedFunctionNames: left }
}

/** Refuses what could be read in two ways, or would bring arguments in pieces. */
export function checkToolConfig(body: JsonObject): void {
  if (isAbsent(body.toolConfig)) return
  const { functionCallingConfig } = requireObject(body.toolConfig, 'toolConfig')
  if (isAbsent(functionCallingConfig)) return
  const at = 'toolConfig.functionCallingConfig'
  const config = requireObject(functionCallingConfig, at)
  if (config.streamFunctionCallArguments === true)
    throw unsupported(`${at}.streamFunctionCallArguments`, 'a call is decided when its arguments are whole', 'Leave it out.')
}
