/** The tools of the gateway that it answers itself, by name: a table. */
import { askToolName, isolatedToolName } from '../../core/tool-names.ts'
import type { JsonObject } from '../../core/json.ts'
import type { Policy } from '../../policy/types.ts'
import { askTool } from './asking-about-result.ts'
import { isolatedTool } from './isolated.ts'
import type { GatewayTool } from './gateway-tool.ts'

const tools: ReadonlyMap<string, GatewayTool> = new Map([
  [askToolName, askTool],
  [isolatedToolName, isolatedTool],
])

/** Undefined for every name that is none of them. */
export function gatewayTool(name: string): GatewayTool | undefined {
  return tools.get(name)
}

/** Those that MCP clients list: a list is asked for before anybody knows what it will be of use for. */
export function listedGatewayTools({ ownTools = [] }: Pick<Policy, 'ownTools'>): readonly JsonObject[] {
  return ownTools.flatMap(({ name }) => {
    const tool = tools.get(name)
    return tool === undefined ? [] : [{ ...tool.definition, annotations: { readOnlyHint: tool.isReadOnly } }]
  })
}

/** All of them, in the order they are offered in. */
export function gatewayTools(): readonly GatewayTool[] {
  return [...tools.values()]
}
