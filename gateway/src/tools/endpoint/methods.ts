/**
 * The MCP methods that are answered, and in which era: one line each. What a method needs is given to it in one form; a
 * method that is not here does not exist for the client.
 */
import type { JsonObject } from '../../core/json.ts'
import { supportedVersions, type Era } from '../codec/versions.ts'
import type { ReadRequest, ServerRequest } from '../operations.ts'
import { answeredByClient } from './asking.ts'
import { legacyDefinition, legacyRead, legacyResult } from './legacy-shapes.ts'
import { listen } from './listen.ts'
import { checkParameters } from './parameter-headers.ts'
import type { MethodCall } from './parts.ts'
import type { Page } from './pages.ts'
import { completionRequest, listReads, promptRequest, resourceRequest } from './read-methods.ts'
import { tasksExtension } from '../extensions.ts'
import { withSmallFields } from '../large/large-result.ts'
import { askTask } from './task-methods.ts'
import { callRequest, listTools, readCall, runCall } from './tool-methods.ts'
import { setLevel, subscribe, unsubscribe } from './wishes.ts'

/** Resolves with the result; with undefined when it has answered on its own stream. Throws coded errors. */
type Method = (call: MethodCall) => JsonObject | Promise<JsonObject | undefined>

/** How long a client may believe a list; changes are announced anyway. A list that waits for a server is not to be believed for long. */
const listTtlMs = 60_000

/** How long a client may believe what it has read: servers say nothing of it in their old form. */
const readTtlMs = 0

const methods: Readonly<Record<Era, ReadonlyMap<string, Method>>> = {
  modern: new Map<string, Method>([
    ['server/discover', discover],
    ['tools/list', async (call) => modernPage('tools', await listTools(call))],
    ['tools/call', callTool],
    ['resources/list', async (call) => modernPage('resources', await listReads(call, 'resource'))],
    ['resources/templates/list', async (call) => modernPage('resourceTemplates', await listReads(call, 'template'))],
    ['resources/read', async (call) => modernRead(await read(call, resourceRequest(call)))],
    ['prompts/list', async (call) => modernPage('prompts', await listReads(call, 'prompt'))],
    ['prompts/get', (call) => read(call, promptRequest(call))],
    ['completion/complete', (call) => read(call, completionRequest(call))],
    ['subscriptions/listen', listen],
    ['tasks/get', (call) => askTask('get', call)],
    ['tasks/update', (call) => askTask('update', call)],
    ['tasks/cancel', (call) => askTask('cancel', call)],
  ]),
  legacy: new Map<string, Method>([
    ['ping', () => ({})],
    ['logging/setLevel', async (call) => ({ ...(await setLevel(call)) })],
    ['resources/subscribe', async (call) => ({ ...(await subscribe(call)) })],
    ['resources/unsubscribe', async (call) => ({ ...(await unsubscribe(call)) })],
    ['tools/list', async (call) => page('tools', await listTools(call), legacyDefinition)],
    ['tools/call', async (call) => legacyResult(await asking(call, callRequest(call, readCall(call)), runCall))],
    ['resources/list', async (call) => page('resources', await listReads(call, 'resource'))],
    ['resources/templates/list', async (call) => page('resourceTemplates', await listReads(call, 'template'))],
    ['resources/read', async (call) => legacyRead(await asking(call, resourceRequest(call), read))],
    ['prompts/list', async (call) => page('prompts', await listReads(call, 'prompt'))],
    ['prompts/get', async (call) => legacyRead(await asking(call, promptRequest(call), read))],
    ['completion/complete', async (call) => legacyRead(await read(call, completionRequest(call)))],
  ]),
}

/** The method of this name in this era; undefined when there is none. */
export function methodOf(era: Era, name: string): Method | undefined {
  return methods[era].get(name)
}

/** What the gateway can do, whatever its servers have: they may come later. */
export const capabilities: JsonObject = {
  tools: { listChanged: true },
  resources: { listChanged: true, subscribe: true },
  prompts: { listChanged: true },
  completions: {},
  logging: {},
}

function discover({ parts, context }: MethodCall): JsonObject {
  const { instructions } = parts.operations.openGateway(context)
  return {
    supportedVersions: [...supportedVersions],
    capabilities: { ...capabilities, extensions: { [tasksExtension]: {} } },
    ...(instructions === undefined ? {} : { instructions }),
    ttlMs: listTtlMs,
    cacheScope: 'private',
  }
}

function modernPage(field: string, listed: Page): JsonObject {
  return { ...page(field, listed), ttlMs: listed.complete ? listTtlMs : 0, cacheScope: 'private' }
}

/** Where clients that want to know find which servers the list lacks. */
const missingKey = 'turnward/missing'

function page(field: string, listed: Page, shaped = (definition: JsonObject): JsonObject => definition): JsonObject {
  const { entries, nextCursor, missing } = listed
  return {
    [field]: entries.map(shaped),
    ...(nextCursor === undefined ? {} : { nextCursor }),
    ...(missing === undefined ? {} : { _meta: { [missingKey]: { ...missing } } }),
  }
}

async function callTool(call: MethodCall): Promise<JsonObject> {
  const asked = readCall(call)
  // Nobody mirrors the arguments of a tool that was not listed.
  if (asked.unfit === undefined && !asked.through) await checkParameters(call, asked)
  return runCall(call, callRequest(call, asked))
}

function read({ parts, context }: MethodCall, request: ReadRequest): Promise<JsonObject> {
  return parts.operations.read(context, request)
}

/** What was read may be believed as long as its server says, by this client only. */
function modernRead(result: JsonObject): JsonObject {
  if (result.resultType === 'input_required') return result
  return withSmallFields(result, (small) => ({ ttlMs: readTtlMs, ...small, cacheScope: 'private' }))
}

/** A request of a client that is asked on its own stream. */
function asking<Request extends ServerRequest>(
  call: MethodCall,
  request: Request,
  run: (call: MethodCall, request: Request) => Promise<JsonObject>,
): Promise<JsonObject> {
  return answeredByClient(call, request, (now) => run(call, { ...request, ...now }))
}
