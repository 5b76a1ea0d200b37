/** Extensions of the protocol that go through the gateway: which there are, and what is said of them on each hop. */
import { isObject, type JsonObject, type JsonValue } from '../core/json.ts'

/** Calls that end later (ext-tasks, 2026-07-28). */
export const tasksExtension = 'io.modelcontextprotocol/tasks'
/** Pages that tools come with (MCP Apps). */
export const appsExtension = 'io.modelcontextprotocol/ui'

export type Extension = typeof tasksExtension | typeof appsExtension

const mostTypes = 8
const longestType = 128

/** What of it a client may say of itself: nothing of a task, the types of pages it shows. */
const settingsOf: Readonly<Record<Extension, (settings: JsonObject) => JsonObject>> = {
  [tasksExtension]: () => ({}),
  [appsExtension]: ({ mimeTypes }) =>
    Array.isArray(mimeTypes)
      ? { mimeTypes: mimeTypes.filter((type) => typeof type === 'string' && type.length <= longestType).slice(0, mostTypes) }
      : {},
}

/** Those of these extensions that capabilities declare; undefined for none. */
export function extensionsIn({ extensions }: JsonObject, of: readonly Extension[]): JsonObject | undefined {
  if (!isObject(extensions)) return undefined
  const known = of.flatMap((name) => {
    const settings = extensions[name]
    return isObject(settings) ? [[name, settingsOf[name](settings)] as const] : []
  })
  return known.length === 0 ? undefined : Object.fromEntries(known)
}

/** Whether offers of a client have an extension. */
export function offersExtension(offers: JsonObject | undefined, name: Extension): boolean {
  return isObject(offers?.extensions) && isObject(offers.extensions[name])
}

/** What a server that keeps one session for all clients is told. Who knows what is a matter of each request. */
export const everyExtension: JsonObject = { [appsExtension]: { mimeTypes: ['text/html;profile=mcp-app'] satisfies JsonValue[] } }
