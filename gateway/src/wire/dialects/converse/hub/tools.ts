/** Tool definitions and tool choice of Converse. */
import type { JsonObject } from '../../../../core/json.ts'
import type { HubRequest, HubTool, HubToolChoice } from '../../../hub/conversation.ts'
import { given, objectOf, tag } from '../../../hub/loose-fields.ts'
import { invalid, requireName, requireObject, requireObjects, unsupported } from '../../../request/fields.ts'
import { noTool } from '../tools.ts'
import { cachePoint, readCachePoint } from './cache-points.ts'
import { converseName } from './names.ts'

/** Throws `request.invalid` naming the tool. */
export function readTools(body: JsonObject): HubTool[] {
  const tools = given(objectOf(body.toolConfig) ?? {}, 'tools')
  const read: HubTool[] = []
  for (const [index, tool] of (tools === undefined ? [] : requireObjects(tools, 'toolConfig.tools')).entries()) {
    const at = `toolConfig.tools[${index}]`
    const last = read.at(-1)
    if (tool.cachePoint !== undefined) {
      if (last?.kind === 'function') read[read.length - 1] = { ...last, cache: readCachePoint(tool.cachePoint) }
    } else if (tool.toolSpec === undefined) {
      read.push({ kind: 'native', family: 'aws', called: `a tool of type ${tag(Object.keys(tool)[0])}`, value: tool, at, runs: 'vendor' })
    } else read.push(readSpec(requireObject(tool.toolSpec, `${at}.toolSpec`), `${at}.toolSpec`))
  }
  return read
}

function readSpec(spec: JsonObject, at: string): HubTool {
  return {
    kind: 'function',
    name: requireName(spec.name, `${at}.name`),
    description: given(spec, 'description'),
    schema: objectOf(objectOf(spec.inputSchema)?.json),
    strict: given(spec, 'strict'),
    at,
  }
}

export function readChoice(body: JsonObject): HubToolChoice | undefined {
  const choice = objectOf(objectOf(body.toolConfig)?.toolChoice)
  if (choice === undefined) return undefined
  if (choice.auto !== undefined) return { mode: 'auto' }
  if (choice.any !== undefined) return { mode: 'required' }
  if (choice.tool !== undefined) return { mode: 'tool', name: requireName(objectOf(choice.tool)?.name, 'toolConfig.toolChoice.tool.name') }
  return { mode: 'native', family: 'aws', called: `a choice of type ${tag(Object.keys(choice)[0])}`, value: choice }
}

/** `toolConfig`. `hasCalls`: the history has calls, beside which the vendor wants some tool defined, whether one is offered or not. */
export function writeTools(request: HubRequest, hasCalls: boolean): JsonObject {
  const { tools, choice } = request
  if (request.parallelCalls === false && tools.length > 0)
    throw unsupported('parallel_tool_calls', 'Converse cannot ask for one call at a time', 'Leave it out.')
  // Nothing here says that a tool must not be called: then none is offered.
  if (tools.length === 0 || choice?.mode === 'none') {
    if (choice?.mode === 'required' || choice?.mode === 'tool') throw invalid('tool_choice', 'it asks for a call but there are no tools')
    return hasCalls ? { toolConfig: { tools: [noTool] } } : {}
  }
  const written = writeChoice(choice)
  return { toolConfig: { tools: tools.flatMap(writeTool), ...(written === undefined ? {} : { toolChoice: written }) } }
}

function writeTool(tool: HubTool): JsonObject[] {
  if (tool.kind === 'native') {
    if (tool.family === 'aws') return [tool.value]
    throw unsupported(tool.at, `${tool.called} has no counterpart in Converse`)
  }
  const spec: JsonObject = { name: converseName(tool.name, tool.at) }
  // The vendor refuses a description of nothing.
  if (typeof tool.description === 'string' && tool.description !== '') spec.description = tool.description
  spec.inputSchema = { json: tool.schema?.type === undefined ? { type: 'object', ...tool.schema } : tool.schema }
  if (typeof tool.strict === 'boolean' && tool.strict) spec.strict = true
  return [{ toolSpec: spec }, ...cachePoint(tool.cache)]
}

function writeChoice(choice: HubToolChoice | undefined): JsonObject | undefined {
  switch (choice?.mode) {
    case 'auto':
      return { auto: {} }
    case 'required':
      return { any: {} }
    case 'tool':
      return { tool: { name: converseName(choice.name, 'tool_choice') } }
    case 'native':
      if (choice.family === 'aws') return objectOf(choice.value)
      throw unsupported('tool_choice', `${choice.called} has no counterpart in Converse`)
    default:
      return undefined
  }
}
