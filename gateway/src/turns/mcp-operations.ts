/** The agent floor as the MCP endpoint sees it: who may open a gateway, which tools are callable now, and running one. */
import type { CatalogueRead, ReadKind } from '../tools/catalogue.ts'
import type { ListedReads, McpContext, McpOperations, Watch } from '../tools/operations.ts'
import { abandonAsked } from './asked-again.ts'
import { linkedCall } from './linked-call.ts'
import { listCallableTools } from './listing-tools.ts'
import { mcpSession } from './sessions/linking-session.ts'
import { requireGateway } from './resolving-tool.ts'
import type { Services } from './services.ts'
import { isShown, reachableNow } from './deciding/shaping-tools.ts'
import type { Session } from '../state/sessions.ts'
import { forCall, inOneStep } from './state-of-call.ts'
import { isSearch, searchTools } from './searching-tools.ts'
import { resolveResource } from './server-requests.ts'
import { requestState } from './sampling/carried-answers.ts'
import { runTaskRequest } from './tasks/task-requests.ts'
import { runServerRequest } from './tool-call.ts'
import { subjectOf } from './deciding/tool-subject.ts'

export function createMcpOperations(services: Services): McpOperations {
  return {
    authenticate: (presented, snapshot) => services.authenticator.authenticate(presented, snapshot, 'mcp'),
    openGateway(context) {
      requireGateway(context)
      return { instructions: context.snapshot.gateways.get(context.gateway)?.instructions }
    },
    listTools: (context) => listCallableTools(services, context),
    listReads: (context, kind) => listReadable(services, context, kind),
    read: (context, request) => runServerRequest(services, context, request),
    callTool: (context, request) =>
      isSearch(context, request) ? searchTools(services, context, request) : runServerRequest(services, context, request),
    abandon: (context, request, state) => abandonAsked(services, context, request, requestState(services.secret, state)),
    task: (context, request) => runTaskRequest(services, context, request),
    async requireResource(context, uri) {
      await resolveResource(services, context, uri)
    },
    watch: (context, watch) => watchFor(services, context, watch),
  }
}

const listOf = { resource: 'resources', template: 'templates', prompt: 'prompts' } as const

/** What the caller is granted, and the conversation can read. */
async function listReadable(services: Services, context: McpContext, kind: ReadKind): Promise<ListedReads> {
  requireGateway(context)
  const { reads, missing } = await services.fleet.for(context.snapshot, context.caller).catalogue(context.gateway)
  const call = linkedCall(services, context, await sessionOf(services, context))
  const isReadable = (entry: CatalogueRead): boolean =>
    isShown(reachableNow(call, subjectOf(entry), context.gateway), context.snapshot.policy.hide)
  return { entries: reads[listOf[kind]].filter(isReadable), complete: missing.size === 0 }
}

async function watchFor(services: Services, context: McpContext, { changed, uris, updated }: Watch): Promise<() => void> {
  const session = await sessionOf(services, context)
  const fleet = services.fleet.for(context.snapshot, context.caller)
  // What cannot be read any more is not told of either.
  const resources = await Promise.all(
    uris.map(async (uri) => ({ uri, entry: await resolveResource(services, context, uri).catch(() => undefined) })),
  )
  const watched = resources.flatMap(({ uri, entry }) =>
    entry === undefined ? [] : [fleet.watchResource(entry.server, entry.originalName, () => updated(uri))],
  )
  const stops = [services.fleet.onChange(changed), services.sessions.watch(session.id, changed), ...watched]
  return () => {
    for (const stop of stops) stop()
  }
}

function sessionOf(services: Services, context: McpContext): Promise<Session> {
  return inOneStep(forCall(services, context.caller), (own) => mcpSession(own, context))
}
