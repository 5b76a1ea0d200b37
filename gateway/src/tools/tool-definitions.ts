/**
 * Turns what a server listed into catalogue tools: exposed name, digest, hints, argument check. Everything a
 * server says is untrusted; a definition that cannot be used is left out with a reason, never repaired.
 */
import { digestJson } from '../core/hash.ts'
import { isObject, type JsonObject } from '../core/json.ts'
import { isReadingTool } from '../policy/reading-tools.ts'
import type { ToolHints } from '../policy/types.ts'
import type { CatalogueTool } from './catalogue.ts'
import { headerParameters, type HeaderParameter } from './codec/header-values.ts'
import { exposedName, withoutCollisions } from './names.ts'
import { compileArgumentCheck } from './schema-validation.ts'
import { settleArguments } from './settled-arguments.ts'

/** A catalogue tool with what only the hop to its server needs. */
export interface ServerTool extends CatalogueTool {
  readonly headerParameters: readonly HeaderParameter[]
}

export interface ReadTools {
  readonly tools: readonly ServerTool[]
  readonly byOriginalName: ReadonlyMap<string, ServerTool>
  /** Exposed name (or position in the list) -> why the tool is left out. */
  readonly leftOut: ReadonlyMap<string, string>
}

const longestName = 256
const longestDefinition = 1024 * 1024

/** Reads one complete listing of a server. Order is the server's. */
export function readTools(server: string, listed: readonly JsonObject[]): ReadTools {
  const leftOut = new Map<string, string>()
  const read: ServerTool[] = []
  listed.forEach((definition, position) => {
    const tool = readTool(server, definition)
    if (typeof tool === 'string')
      leftOut.set(
        typeof definition.name === 'string' ? exposedName(server, definition.name.slice(0, longestName)) : `${server}__#${position}`,
        tool,
      )
    else read.push(tool)
  })
  const { unique, collisions } = withoutCollisions(read)
  for (const name of collisions) leftOut.set(name, 'several tools have this name')
  return { tools: unique, byOriginalName: new Map(unique.map((tool) => [tool.originalName, tool])), leftOut }
}

function readTool(server: string, definition: JsonObject): ServerTool | string {
  const originalName = definition.name
  if (typeof originalName !== 'string' || originalName === '' || originalName.length > longestName) return 'it has no usable name'
  if (JSON.stringify(definition).length > longestDefinition) return 'its definition is too large'
  const schema = definition.inputSchema
  if (!isObject(schema)) return 'it has no input schema'
  const parameters = headerParameters(schema)
  if (typeof parameters === 'string') return parameters
  // 2025-11-25 experimental tasks are not bridged, so such a tool could be listed but never called.
  if (isObject(definition.execution) && definition.execution.taskSupport === 'required')
    return 'it can only be called as a task, which is not available yet'
  const compiled = compileArgumentCheck(schema)
  if ('why' in compiled) return compiled.why
  const name = exposedName(server, originalName)
  return {
    name,
    originalName,
    server,
    definition: { ...definition, name },
    hints: hintsOf(definition),
    reading: isReadingTool(originalName, definition),
    digest: digestJson(definition),
    validate: compiled.check,
    settled: (args) => settleArguments(schema, args),
    headerParameters: parameters,
  }
}

function hintsOf(definition: JsonObject): ToolHints {
  const annotations = isObject(definition.annotations) ? definition.annotations : {}
  const hint = (key: string): boolean | undefined => (typeof annotations[key] === 'boolean' ? annotations[key] : undefined)
  return { readOnlyHint: hint('readOnlyHint'), destructiveHint: hint('destructiveHint'), openWorldHint: hint('openWorldHint') }
}
