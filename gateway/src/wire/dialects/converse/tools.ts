/** Which tools of a Converse request the client runs, and what a tool is called. */
import { isObject, type JsonObject } from '../../../core/json.ts'
import type { ToolDefinitionView } from '../../dialect.ts'
import { invalid, requireName, requireObject } from '../../request/fields.ts'

/** The name of a tool; the kind of one that has none. Empty for a mark between tools. */
export function converseToolName(tool: JsonObject): string {
  for (const kind of ['toolSpec', 'systemTool']) {
    const inner = tool[kind]
    if (isObject(inner)) return typeof inner.name === 'string' ? inner.name : ''
  }
  return tool.cachePoint === undefined ? (Object.keys(tool)[0] ?? '') : ''
}

/** The view of an entry of `toolConfig.tools`; none for a mark. What is newer than this code is the vendor's to run. */
export function readTool(tool: JsonObject, at: string): ToolDefinitionView[] {
  if (Object.keys(tool).length !== 1) throw invalid(at, 'it must have exactly one member')
  if (tool.cachePoint !== undefined) return []
  if (tool.toolSpec !== undefined)
    return [{ name: requireName(requireObject(tool.toolSpec, `${at}.toolSpec`).name, `${at}.toolSpec.name`), runs: 'client' }]
  return [{ name: requireName(converseToolName(tool), `${at}.name`), runs: 'vendor' }]
}

/** False for a call that the vendor has run inside its own answer. */
export function isClientCall(call: JsonObject): boolean {
  return call.type !== 'server_tool_use'
}

/**
 * Stands where no tool is on offer: the vendor refuses a history with calls beside which no tool is defined at all, and what is
 * taken out of the offer must not come back into it.
 */
export const noTool: JsonObject = {
  toolSpec: {
    name: 'no_tool_available',
    description: 'No tool can be called now. Never call this.',
    inputSchema: { json: { type: 'object', properties: {} } },
  },
}
