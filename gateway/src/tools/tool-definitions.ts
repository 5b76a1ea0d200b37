/**
 * Turns what a server listed into catalogue tools: exposed name, digest, hints, argument check. Everything a
 * server says is untrusted; a definition that cannot be used is left out with a reason, and harms no other.
 */
import { digestJson } from '../core/hash.ts'
import { isObject, type JsonObject, type JsonValue } from '../core/json.ts'
import { isReadingTool } from '../policy/reading-tools.ts'
import type { ToolHints } from '../policy/types.ts'
import type { CatalogueTool } from './catalogue.ts'
import { headerParameters, type HeaderParameter } from './codec/header-values.ts'
import { countNodes } from './json-size.ts'
import { exposedName, withoutCollisions } from '../core/exposed-names.ts'
import { compileArgumentCheck } from './schema-validation.ts'
import { settleArguments } from './settled-arguments.ts'
import { shownDefinition } from './shown-definition.ts'

/** A catalogue tool with what only the hop to its server needs. */
export interface ServerTool extends CatalogueTool {
  readonly headerParameters: readonly HeaderParameter[]
  /** The definition as the server listed it. */
  readonly listed: JsonObject
  /** Fields of it that clients are not shown, because they are not what the specification says. */
  readonly without: readonly string[]
}

export interface ReadTools {
  readonly tools: readonly ServerTool[]
  readonly byOriginalName: ReadonlyMap<string, ServerTool>
  /** Exposed name (or position in the list) -> why the tool is left out. */
  readonly leftOut: ReadonlyMap<string, string>
  /** Tools whose definitions wait for a review: neither shown nor called. */
  readonly held: readonly ServerTool[]
}

const longestName = 256
const longestDefinition = 1024 * 1024
const deepestDefinition = 128

/** Nothing was listed. */
export const noTools: ReadTools = { tools: [], byOriginalName: new Map(), leftOut: new Map(), held: [] }

/** Reads one listing of a server, whatever its entries are. Order is the server's. */
export function readTools(server: string, listed: readonly JsonValue[]): ReadTools {
  const leftOut = new Map<string, string>()
  const read: ServerTool[] = []
  const seen = new Set<string>()
  listed.forEach((entry, position) => {
    const tool = isObject(entry) ? readTool(server, entry) : 'it is not an object'
    if (typeof tool === 'string') leftOut.set(nameOfLeftOut(server, entry, position), tool)
    // A server that repeats a page lists the same tools again.
    else if (!seen.has(tool.digest)) read.push(tool)
    if (typeof tool !== 'string') seen.add(tool.digest)
  })
  const { unique, collisions } = withoutCollisions(read)
  for (const name of collisions) leftOut.set(name, 'several tools have this name')
  return { tools: unique, byOriginalName: byOriginalName(unique), leftOut, held: [] }
}

/** The listing without these tools, which wait for a review. */
export function withHeld(read: ReadTools, held: readonly ServerTool[]): ReadTools {
  const waiting = new Set(held)
  const tools = read.tools.filter((tool) => !waiting.has(tool))
  return { ...read, tools, byOriginalName: byOriginalName(tools), held }
}

function byOriginalName(tools: readonly ServerTool[]): ReadonlyMap<string, ServerTool> {
  return new Map(tools.map((tool) => [tool.originalName, tool]))
}

function nameOfLeftOut(server: string, entry: JsonValue, position: number): string {
  const name = isObject(entry) ? entry.name : undefined
  return typeof name === 'string' ? exposedName(server, name.slice(0, longestName)) : `${server}__#${position}`
}

function readTool(server: string, listed: JsonObject): ServerTool | string {
  const originalName = listed.name
  if (typeof originalName !== 'string' || originalName === '' || originalName.length > longestName) return 'it has no usable name'
  if (countNodes(listed, deepestDefinition, longestDefinition) === undefined || JSON.stringify(listed).length > longestDefinition)
    return 'its definition is too deep or too large'
  const name = exposedName(server, originalName)
  const shown = shownDefinition(listed, name)
  if (typeof shown === 'string') return shown
  const { definition, inputSchema, without } = shown
  const parameters = headerParameters(inputSchema)
  if (typeof parameters === 'string') return parameters
  // 2025-11-25 experimental tasks are not bridged, so such a tool could be listed but never called.
  if (isObject(listed.execution) && listed.execution.taskSupport === 'required')
    return 'it can only be called as a task of 2025-11-25, which is not spoken'
  const compiled = compileArgumentCheck(inputSchema)
  if ('why' in compiled) return compiled.why
  return {
    name,
    originalName,
    server,
    definition,
    listed,
    without,
    hints: hintsOf(listed),
    reading: isReadingTool(originalName, listed),
    digest: digestJson(listed),
    validate: compiled.check,
    settled: (args) => settleArguments(inputSchema, args),
    headerParameters: parameters,
  }
}

function hintsOf(definition: JsonObject): ToolHints {
  const annotations = isObject(definition.annotations) ? definition.annotations : {}
  const hint = (key: string): boolean | undefined => (typeof annotations[key] === 'boolean' ? annotations[key] : undefined)
  return { readOnlyHint: hint('readOnlyHint'), destructiveHint: hint('destructiveHint'), openWorldHint: hint('openWorldHint') }
}

/** Whether two listings define the same tools. */
export function hasSameTools({ tools }: ReadTools, { tools: others }: ReadTools): boolean {
  return tools.length === others.length && tools.every(({ digest }, index) => digest === others[index]?.digest)
}
