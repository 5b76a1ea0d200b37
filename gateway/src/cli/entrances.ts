/** The table of entrances: which floor answers what. Knows nothing of either floor but their entrances. */
import type { IncomingMessage, ServerResponse } from 'node:http'
import { apiEntrances } from '../admin/api-entrances.ts'
import type { ApiRoute } from '../admin/api-route.ts'
import { apiRoutes } from '../admin/api-routes.ts'
import { configRoutes, type ApiConfig } from '../admin/routes/config.ts'
import { consoleEntrances } from '../admin/console-files.ts'
import { hopPath } from '../cluster/hop.ts'
import { TurnwardError } from '../core/error.ts'
import { pathOf, queryOf } from '../core/request-target.ts'
import type { ScriptSessions } from '../identity/browser/sign-in.ts'
import { presentedBy } from '../identity/ways/presented-by.ts'
import { describeModel, listModels } from '../models/listing-models.ts'
import { OfferedModels } from '../models/offered-models.ts'
import { modelOperations, pathEmbeddings } from '../models/operations.ts'
import { answerError } from '../turns/answering/answering-client.ts'
import { countTokens } from '../turns/counting-tokens.ts'
import { answerBatches } from '../turns/batches/answering-batches.ts'
import { answerFiles } from '../turns/files/answering-files.ts'
import { answerKept, answerKeptConversation } from '../turns/keeping/answering-kept.ts'
import { runModelCall } from '../turns/model-call.ts'
import { runModelOperation } from '../turns/model-operation.ts'
import { httpOrigin } from '../turns/origins/http-origin.ts'
import { guardHostName } from '../tools/endpoint/host-guard.ts'
import { runRealtime } from '../turns/realtime/realtime-call.ts'
import type { Services } from '../turns/services.ts'
import type { Dialect, PathTarget } from '../wire/dialect.ts'
import type { KeptBatches } from '../wire/kept-batches.ts'
import type { KeptAnswers } from '../wire/kept-answers.ts'
import { dialectByName } from '../wire/dialects.ts'
import { invokedMessages } from '../wire/invoking/invoked-messages.ts'
import { settleKey } from './carried-key.ts'
import { consoleFolder } from './console-folder.ts'
import { directoryEntrances } from './directory-entrances.ts'
import { type RealtimeDoor, refusedRealtimePaths, refuseUpgrade } from './realtime-door.ts'
import { type RefusedPath, refusedPaths } from './refused-paths.ts'
import { allowedMethods, EntranceTable, mergedByPath, settleTarget, type Entrance, type Upgrade } from './entrance-table.ts'
import { healthRoutes } from './health-routes.ts'
import { answerHealth, answerReadiness, type Health } from './health.ts'
import type { ClusterMembership } from './joining-cluster.ts'
import type { Whole } from './workers/whole.ts'
import { answerPlainError, dialectOfClient } from './plain-errors.ts'
import { policyRoutes } from './policy-routes.ts'
import { serverRoutes } from './resources/server-routes.ts'
import { toolRoutes } from './resources/tool-routes.ts'

export type McpEndpoint = (request: IncomingMessage, response: ServerResponse, gateway: string, door?: 'sse' | 'messages') => Promise<void>

/** What the entrances lead to. */
export interface Behind {
  readonly services: Services
  readonly mcp: McpEndpoint
  readonly health: Health
  /** Undefined where there are no other replicas. */
  readonly cluster: ClusterMembership | undefined
  readonly isDraining: () => boolean
  /** Lets WebSockets in. */
  readonly realtime: RealtimeDoor
  /** Ways in that rooms give whole. */
  readonly rooms: readonly Entrance[]
  /** Who is signed in in a browser, for what scripts of our pages ask. */
  readonly sessions: ScriptSessions
  /** The configuration, for who changes it. */
  readonly config: ApiConfig
  /** Where this is one of several processes: what is true of all of them. */
  readonly whole?: Whole | undefined
}

export type ApiBehind = Pick<Behind, 'services' | 'whole' | 'config' | 'health' | 'cluster' | 'isDraining'>

/** Every line of the administration API. */
export function allApiRoutes(behind: ApiBehind): readonly ApiRoute[] {
  const { services, whole, config } = behind
  return apiRoutes(services, [
    ...healthRoutes(behind),
    ...policyRoutes(services),
    ...serverRoutes(services, whole),
    ...toolRoutes(services),
    ...configRoutes(services, config),
  ])
}

/** Every way in. A probe or a page is a line here; a dialect says its paths itself. */
export function entrancesOf({
  services,
  mcp,
  health,
  cluster,
  isDraining,
  whole,
  realtime,
  rooms,
  sessions,
  config,
}: Behind): readonly Entrance[] {
  const offered = new OfferedModels(services.upstreams, services.credentials, services.clock, services.telemetry.logger)
  // Both floors answer to the same names; the MCP endpoint looks for itself, at the Origin too.
  const named =
    (handle: Entrance['handle']): Entrance['handle'] =>
    (request, response, parameter) => {
      guardHostName(request.headers, services.snapshot().settings.listen)
      return handle(request, response, parameter)
    }
  // Forms of a dialect stand before the dialects, whose paths may take anything.
  const modelCalls = [...invokedMessages, ...Object.values(dialectByName)].flatMap((dialect): Entrance[] => {
    const { call, count, more = [], models: list } = dialect.paths
    const entrance = (path: string, run: typeof runModelCall): Entrance => ({
      path,
      methods: ['POST'],
      needs: 'caller',
      dialect: dialect.name,
      handle: named(async (request, response, target) => {
        settleKey(request, dialect)
        if (dialect.readPath === undefined) return run(services, httpOrigin(request, response), dialect)
        const at = await readPath(services, dialect.readPath, request, target)
        const origin = httpOrigin(request, response, at)
        if (at.operation === 'embeddings') return runModelOperation(services, origin, pathEmbeddings, dialect)
        return (at.operation === 'count' ? countTokens : run)(services, origin, dialect)
      }),
    })
    const listing = (path: string): Entrance => ({
      path,
      methods: ['GET'],
      needs: 'caller',
      dialect: dialect.name,
      handle: named((request, response, name) => {
        settleKey(request, dialect)
        return answerModels(services, offered, { request, response, dialect, name })
      }),
    })
    const about = (path: string, answer: typeof answerKept, methods: Entrance['methods'] = 'own'): Entrance => ({
      path,
      methods,
      needs: 'caller',
      dialect: dialect.name,
      handle: named((request, response, target) =>
        answer(services, httpOrigin(request, response), dialect, { method: request.method ?? '', target, query: queryOf(request) }),
      ),
    })
    const batchesOf = ({ path }: KeptBatches): readonly Entrance[] => [
      about(path, answerBatches, ['GET', 'POST']),
      about(`${path}/{kept...}`, answerBatches),
    ]
    const keptOf = ({ conversations: { path } }: KeptAnswers): readonly Entrance[] => [
      about(`${call}/{kept...}`, answerKept),
      about(path, answerKeptConversation, ['POST']),
      about(`${path}/{kept...}`, answerKeptConversation),
    ]
    return [
      ...[call, ...more].map((path) => entrance(path, runModelCall)),
      ...(count === undefined ? [] : [entrance(count, countTokens)]),
      ...(dialect.batches === undefined ? [] : batchesOf(dialect.batches)),
      ...(dialect.kept === undefined ? [] : keptOf(dialect.kept)),
      ...(list === undefined ? [] : [listing(list), listing(`${list}/{name...}`)]),
    ]
  })
  const models = named((request, response, name) => {
    const dialect = dialectOfClient(request)
    settleKey(request, dialect)
    return answerModels(services, offered, { request, response, dialect, name })
  })
  const operations = modelOperations.map((operation): Entrance => ({
    path: operation.path,
    methods: ['POST'],
    needs: 'caller',
    handle: named((request, response) => runModelOperation(services, httpOrigin(request, response), operation)),
  }))
  // Clients of several dialects keep files at one path.
  const files = named((request, response, target) => {
    const dialect = dialectOfClient(request)
    settleKey(request, dialect)
    const { method = '' } = request
    return answerFiles(services, httpOrigin(request, response), dialect, { method, target, query: queryOf(request) })
  })
  const refused = ({ path, why }: RefusedPath): Entrance => ({
    path,
    methods: ['GET', 'POST', 'DELETE'],
    needs: 'caller',
    handle: named(async (request) => {
      settleKey(request, dialectOfClient(request))
      await services.authenticator.authenticate(presentedBy(request), services.snapshot(), 'models')
      throw new TurnwardError('request.unsupported', { subject: path.replace('/{rest...}', ''), why })
    }),
  })
  return mergedByPath([
    ...modelCalls,
    ...operations,
    {
      ...refused({ path: '/v1/realtime', why: 'a realtime session is a WebSocket: ask with `upgrade: websocket`' }),
      upgrade: async (upgrade) => {
        guardHostName(upgrade.request.headers, services.snapshot().settings.listen)
        await runRealtime(services, realtime.origin(upgrade))
      },
    },
    ...[...refusedRealtimePaths, ...refusedPaths].map(refused),
    ...[...rooms, ...consoleEntrances(consoleFolder)].map((entrance) => ({ ...entrance, handle: named(entrance.handle) })),
    { path: '/v1/files', methods: ['GET', 'POST'], needs: 'caller', handle: files },
    { path: '/v1/files/{kept...}', methods: 'own', needs: 'caller', handle: files },
    { path: '/v1/models', methods: ['GET'], needs: 'caller', handle: models },
    { path: '/v1/models/{name...}', methods: ['GET'], needs: 'caller', handle: models },
    { path: '/mcp/{gateway}', methods: 'own', needs: 'caller', handle: (request, response, gateway) => mcp(request, response, gateway) },
    {
      path: '/mcp/{gateway}/sse',
      methods: 'own',
      needs: 'caller',
      handle: (request, response, gateway) => mcp(request, response, gateway, 'sse'),
    },
    {
      path: '/mcp/{gateway}/messages',
      methods: 'own',
      needs: 'caller',
      handle: (request, response, gateway) => mcp(request, response, gateway, 'messages'),
    },
    ...directoryEntrances(services),
    ...apiEntrances({ services, sessions }, allApiRoutes({ services, whole, config, health, cluster, isDraining })),
    {
      path: '/healthz',
      methods: ['GET'],
      needs: 'anyone',
      isProbe: true,
      handle: (_request, response) => answerHealth(services, response, whole),
    },
    {
      path: '/readyz',
      methods: ['GET'],
      needs: 'anyone',
      isProbe: true,
      handle: (_request, response) => answerReadiness(response, { services, health, cluster, isDraining: isDraining(), whole }),
    },
    {
      path: '/metrics',
      methods: ['GET'],
      needs: 'anyone',
      isProbe: true,
      handle: (_request, response) => answerMetrics(services, whole, response),
    },
    ...(cluster === undefined
      ? []
      : [
          {
            path: hopPath,
            methods: ['POST'],
            needs: 'replica' as const,
            // Another replica's calls end here in their own time.
            isProbe: true,
            handle: (request: IncomingMessage, response: ServerResponse) => cluster.hop.answer(request, response),
          },
        ]),
  ])
}

/** What is wrong with a path is told to callers only. */
async function readPath(
  { authenticator, snapshot }: Services,
  read: NonNullable<Dialect['readPath']>,
  request: IncomingMessage,
  target: string,
): Promise<PathTarget> {
  try {
    return read(target, queryOf(request))
  } catch (error) {
    await authenticator.authenticate(presentedBy(request), snapshot(), 'models')
    throw error
  }
}

/** Lets a client that asks for a WebSocket in, or answers why not. Never throws. */
export function createUpgrade(entrances: readonly Entrance[], isDraining: () => boolean): (upgrade: Upgrade) => void {
  const table = new EntranceTable(entrances)
  const begin = async (upgrade: Upgrade): Promise<void> => {
    const { request } = upgrade
    settleTarget(request)
    if (isDraining()) throw new TurnwardError('gateway.draining', { retryAfterSeconds: 1 })
    if (request.headers.host === undefined)
      throw new TurnwardError('request.invalid', { subject: 'host', why: 'HTTP/1.1 needs this header' })
    const path = pathOf(request)
    const run = table.find(path)?.entrance.upgrade
    if (run === undefined)
      throw new TurnwardError('request.unsupported', {
        subject: path.slice(0, 200),
        why: 'there is no WebSocket here; `/v1/realtime` is one',
      })
    if (request.method !== 'GET') throw new TurnwardError('request.method', { subject: `${request.method} ${path}` })
    await run(upgrade)
  }
  return (upgrade) => {
    begin(upgrade).catch((error: unknown) => refuseUpgrade(upgrade, error))
  }
}

/** Answers one request, whatever it asks for. Never throws. */
export function createDispatch(
  entrances: readonly Entrance[],
  isDraining: () => boolean,
): (request: IncomingMessage, response: ServerResponse) => void {
  const table = new EntranceTable(entrances)
  const begin = (request: IncomingMessage, response: ServerResponse): Promise<void> | void => {
    settleTarget(request)
    const path = pathOf(request)
    const { method = '' } = request
    const found = table.find(path, method)
    if (isDraining() && found?.entrance.isProbe !== true) throw new TurnwardError('gateway.draining', { retryAfterSeconds: 1 })
    // RFC 9112, section 3.2.
    if (request.httpVersion === '1.1' && request.headers.host === undefined)
      throw new TurnwardError('request.invalid', { subject: 'host', why: 'HTTP/1.1 needs this header' })
    if (found === undefined) throw new TurnwardError('request.not_found', { subject: path.slice(0, 200) })
    const { entrance, parameter } = found
    const allowed = allowedMethods(entrance)
    if (allowed !== undefined && !allowed.includes(method)) {
      response.setHeader('allow', allowed.join(', '))
      throw new TurnwardError('request.method', { subject: `${method} ${path}` })
    }
    return entrance.handle(request, response, parameter)
  }
  return (request, response) => {
    try {
      begin(request, response)?.catch((error: unknown) => answerPlainError(request, response, error))
    } catch (error) {
      answerPlainError(request, response, error)
    }
  }
}

interface ModelsQuestion {
  readonly request: IncomingMessage
  readonly response: ServerResponse
  readonly dialect: Dialect
  /** Percent-encoded; empty for all. */
  readonly name: string
}

/** The models this caller may use, or one of them. */
async function answerModels(
  services: Services,
  offered: OfferedModels,
  { request, response, dialect, name }: ModelsQuestion,
): Promise<void> {
  const outlet = httpOrigin(request, response).outlet
  try {
    const snapshot = services.snapshot()
    const caller = await services.authenticator.authenticate(presentedBy(request), snapshot, 'models')
    const facts = { caller, headers: request.headers, dialect: dialect.name }
    const answer = name === '' ? await listModels(offered, snapshot, facts) : describeModel(snapshot, facts, decodeName(name))
    response.writeHead(200, { 'content-type': 'application/json' }).end(JSON.stringify(answer))
  } catch (thrown) {
    answerError(outlet, dialect, thrown)
  }
}

function decodeName(text: string): string {
  try {
    return decodeURIComponent(text)
  } catch {
    throw new TurnwardError('request.invalid', { subject: 'path', why: 'it is not percent-encoded UTF-8' })
  }
}

async function answerMetrics(services: Services, whole: Whole | undefined, response: ServerResponse): Promise<void> {
  const text = await (whole ?? services.telemetry).metricsText()
  response.writeHead(200, { 'content-type': 'text/plain; version=0.0.4; charset=utf-8' }).end(text)
}
