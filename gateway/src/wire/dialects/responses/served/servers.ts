/** Servers that a responses request names as `mcp` tools: which, which tools of them, and whether a person is asked first. */
import { isObject, type JsonObject, type JsonValue } from '../../../../core/json.ts'
import type { ListedTool, NamedServer } from '../../../served-tools.ts'
import {
  invalid,
  isAbsent,
  objectsOf,
  requireArray,
  requireName,
  requireObject,
  requireString,
  unsupported,
} from '../../../request/fields.ts'

/** Throws `request.invalid` naming the field. */
export function namedServers({ tools }: JsonObject): readonly NamedServer[] {
  if (!Array.isArray(tools)) return []
  return tools.flatMap((tool, index) => {
    if (!isObject(tool) || tool.type !== 'mcp' || typeof tool.server_url !== 'string') return []
    return [readServer(tool, tool.server_url, `tools[${index}]`)]
  })
}

function readServer(tool: JsonObject, url: string, path: string): NamedServer {
  const { allowed_tools: allowed, require_approval: approval } = tool
  return {
    label: requireName(tool.server_label, `${path}.server_label`),
    url,
    path,
    authorization: () => authorizationOf(tool, path),
    wants: isAbsent(allowed) ? () => true : readFilter(allowed, `${path}.allowed_tools`),
    asksFirst: readApproval(approval, `${path}.require_approval`),
  }
}

/** The key as clients give it: by itself, or as the header it would be sent in. */
function authorizationOf({ authorization, headers }: JsonObject, path: string): string | undefined {
  let key = isAbsent(authorization) ? undefined : requireString(authorization, `${path}.authorization`)
  for (const [name, value] of Object.entries(isAbsent(headers) ? {} : requireObject(headers, `${path}.headers`))) {
    if (name.toLowerCase() !== 'authorization')
      throw unsupported(`${path}.headers`, 'the tools are run here, and nothing is sent to get to them', 'Leave it out.')
    key ??= requireString(value, `${path}.headers.${name}`)
  }
  return key?.replace(/^Bearer +/i, '')
}

type Filter = (tool: ListedTool) => boolean

/** A list of names, or an object of names and of what the tools do. */
function readFilter(value: JsonValue, path: string): Filter {
  if (Array.isArray(value)) return ofNames(value, path)
  const { tool_names: names, read_only: readOnly } = requireObject(value, path)
  if (!isAbsent(readOnly) && typeof readOnly !== 'boolean') throw invalid(`${path}.read_only`, 'it must be true or false')
  const hasName = isAbsent(names) ? () => true : ofNames(requireArray(names, `${path}.tool_names`), `${path}.tool_names`)
  return (tool) => hasName(tool) && (isAbsent(readOnly) || tool.isReadOnly === readOnly)
}

function ofNames(list: readonly JsonValue[], path: string): Filter {
  const wanted = new Set(list.map((name, index) => requireString(name, `${path}[${index}]`)))
  return ({ names }) => names.some((name) => wanted.has(name))
}

/** Always, unless the request says otherwise. */
function readApproval(value: JsonValue | undefined, path: string): Filter {
  if (isAbsent(value) || value === 'always') return () => true
  if (value === 'never') return () => false
  const { always, never } = requireObject(value, path)
  const asks = isAbsent(always) ? undefined : readFilter(always, `${path}.always`)
  const runs = isAbsent(never) ? undefined : readFilter(never, `${path}.never`)
  return (tool) => asks?.(tool) === true || runs?.(tool) !== true
}

/** The tools of a request as they may be told: without what is shown to servers. */
export function toldTools({ tools }: JsonObject): JsonValue[] {
  return objectsOf(tools).map(({ authorization: _key, headers: _sent, ...tool }) => tool)
}
