/**
 * Which undescribed tools of MCP servers only read. A server's word alone is not enough: its annotation, the name and
 * the arguments must agree, and a tool that could carry something out of the house with its question does not count.
 */
import { isObject, type JsonObject } from '../core/json.ts'
import { argumentsStayInside, namesReading } from './tool-words.ts'

/**
 * Whether a tool definition says in every way that calling it only reads: `readOnlyHint`, not destructive, not open to
 * the world (a search out there tells the world the question), a name that begins with a reading verb and has no other,
 * and no argument such as `url` or `command`. `name` is the server's own.
 */
export function isReadingTool(name: string, definition: JsonObject): boolean {
  const hints = isObject(definition['annotations']) ? definition['annotations'] : {}
  if (hints['readOnlyHint'] !== true || hints['destructiveHint'] === true || hints['openWorldHint'] === true) return false
  const schema = definition['inputSchema']
  return namesReading(name) && isObject(schema) && argumentsStayInside(schema)
}
