/** What an MCP client says of itself. */
import { isObject } from '../../core/json.ts'
import type { McpContext } from '../operations.ts'

/** `clientInfo` as we keep it: two short strings. */
export function clientOf(info: unknown): McpContext['client'] {
  const field = (key: string): string => (isObject(info) && typeof info[key] === 'string' ? info[key].slice(0, 128) : '')
  return { name: field('name'), version: field('version') }
}
