/**
 * The MCP methods that are answered, and in which era: one line each. What a method needs is given to it in one form; a
 * method that is not here does not exist for the client.
 */
import type { JsonObject } from '../../core/json.ts'
import { modernVersion, type Era } from '../codec/versions.ts'
import { legacyDefinition, legacyResult } from './legacy-shapes.ts'
import { listen } from './listen.ts'
import { checkParameters } from './parameter-headers.ts'
import type { MethodCall } from './parts.ts'
import { listPage, readCall, runCall, type ToolPage } from './tool-methods.ts'

/** Resolves with the result; with undefined when it has answered on its own stream. Throws coded errors. */
type Method = (call: MethodCall) => JsonObject | Promise<JsonObject | undefined>

/** How long a client may believe a list; changes are announced anyway. A list that waits for a server is not to be believed for long. */
const listTtlMs = 60_000

const methods: Readonly<Record<Era, ReadonlyMap<string, Method>>> = {
  modern: new Map<string, Method>([
    ['server/discover', discover],
    ['tools/list', listTools],
    ['tools/call', callTool],
    ['subscriptions/listen', listen],
  ]),
  legacy: new Map<string, Method>([
    ['ping', () => ({})],
    ['tools/list', async (call) => pageOf(await listPage(call), legacyDefinition)],
    ['tools/call', async (call) => legacyResult(await runCall(call, readCall(call.message)))],
  ]),
}

/** The method of this name in this era; undefined when there is none. */
export function methodOf(era: Era, name: string): Method | undefined {
  return methods[era].get(name)
}

function discover({ parts, context }: MethodCall): JsonObject {
  const { instructions } = parts.operations.openGateway(context)
  return {
    supportedVersions: [modernVersion],
    capabilities: { tools: { listChanged: true } },
    ...(instructions === undefined ? {} : { instructions }),
    ttlMs: listTtlMs,
    cacheScope: 'private',
  }
}

async function listTools(call: MethodCall): Promise<JsonObject> {
  const page = await listPage(call)
  return { ...pageOf(page), ttlMs: page.complete ? listTtlMs : 0, cacheScope: 'private' }
}

function pageOf({ tools, nextCursor }: ToolPage, shaped = (definition: JsonObject): JsonObject => definition): JsonObject {
  return { tools: tools.map(shaped), ...(nextCursor === undefined ? {} : { nextCursor }) }
}

async function callTool(call: MethodCall): Promise<JsonObject> {
  const asked = readCall(call.message)
  if (asked.unfit === undefined) await checkParameters(call, asked)
  return runCall(call, asked)
}
