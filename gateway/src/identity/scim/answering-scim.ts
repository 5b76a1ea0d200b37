/** `/scim/v2`: which directory asks, for what, and the answer in its form. Never rejects. */
import type { IncomingMessage, ServerResponse } from 'node:http'
import type { Snapshot } from '../../config/snapshot.ts'
import type { Clock } from '../../core/clock.ts'
import { asTurnwardError } from '../../core/error.ts'
import { isShallow, type JsonObject } from '../../core/json.ts'
import type { Logger } from '../../core/logger.ts'
import { parseJson } from '../../core/parse-json.ts'
import type { Store } from '../../store/store.ts'
import { directoryOf, type ScimWork } from './directory.ts'
import { resourceTypes, schemas, serviceProviderConfig } from './discovery.ts'
import { createGroup, findGroup, groupResource, listGroups, patchGroup, removeGroup, replaceGroup } from './groups.ts'
import { listAnswer, project, readListQuery, readProjection, requireObject, versionOf } from './pages.ts'
import { badRequest, ScimError } from './scim-error.ts'
import { scimPath } from './scim-path.ts'
import { createUser, findUser, listUsers, patchUser, removeUser, replaceUser } from './users.ts'
import { userResource } from './user-resource.ts'

export interface ScimOptions {
  readonly store: Pick<Store, 'people' | 'directories' | 'keys'>
  readonly snapshot: () => Snapshot
  /** `https://turnward.acme.example`: what the gateway is called by others. */
  readonly publicUrl: (snapshot: Snapshot) => string
  readonly clock: Clock
  readonly logger: Logger
}

interface Answer {
  readonly status: number
  readonly body?: JsonObject
  readonly headers?: Readonly<Record<string, string>>
}

/** Answers one request below `scimPath`; `rest` is what stands behind it in the path. */
export async function answerScim(options: ScimOptions, request: IncomingMessage, response: ServerResponse, rest: string): Promise<void> {
  const { store, clock, logger } = options
  let answer: Answer
  try {
    const snapshot = options.snapshot()
    const directory = directoryOf(request.headers.authorization, snapshot)
    const work: ScimWork = { store, clock, snapshot, directory, base: `${options.publicUrl(snapshot)}${scimPath}` }
    answer = await route(work, request, rest)
  } catch (error) {
    answer = failed(error, logger)
  }
  send(request, response, answer)
}

async function route(work: ScimWork, request: IncomingMessage, rest: string): Promise<Answer> {
  const url = new URL(request.url ?? '/', 'http://gateway')
  const [kind = '', id, more] = rest.split('/')
  if (more !== undefined) throw new ScimError(404, 'There is nothing here')
  const asked: Asked = { work, request, query: url.searchParams, id: id === undefined ? undefined : decode(id) }
  const serve = rooms.get(kind.toLowerCase())
  if (serve === undefined) throw new ScimError(404, 'There is nothing here')
  return serve(asked)
}

interface Asked {
  readonly work: ScimWork
  readonly request: IncomingMessage
  readonly query: URLSearchParams
  readonly id: string | undefined
}

/** Every kind of resource, in lower case. */
const rooms: ReadonlyMap<string, (asked: Asked) => Promise<Answer>> = new Map([
  ['users', answerUsers],
  ['groups', answerGroups],
  ['serviceproviderconfig', (asked) => answerFixed(asked, ({ base }) => serviceProviderConfig(base))],
  ['resourcetypes', (asked) => answerFixed(asked, ({ base }) => resourceTypes(base))],
  ['schemas', (asked) => answerFixed(asked, ({ base }) => schemas(base))],
])

async function answerFixed(
  { work, request, id }: Asked,
  describe: (work: ScimWork) => JsonObject | readonly JsonObject[],
): Promise<Answer> {
  if (request.method !== 'GET') throw notAllowed('GET')
  const described = describe(work)
  if (!isList(described)) return { status: 200, body: described }
  if (id === undefined) return { status: 200, body: listAnswer(described, described.length, readListQuery(new URLSearchParams())) }
  const one = described.find((candidate) => candidate.id === id)
  if (one === undefined) throw new ScimError(404, 'There is nothing here')
  return { status: 200, body: one }
}

async function answerUsers({ work, request, query, id }: Asked): Promise<Answer> {
  const shown = readProjection(query)
  const version = versionOf(request.headers['if-match'])
  const one = (user: Parameters<typeof userResource>[0], status = 200): Answer =>
    withTag(project(userResource(user, work.base), shown), user.version, status)
  if (id === undefined) {
    if (request.method === 'GET') return { status: 200, body: await listUsers(work, readListQuery(query)) }
    if (request.method === 'POST') return one(await createUser(work, await readBody(request)), 201)
    throw notAllowed('GET, POST')
  }
  switch (request.method) {
    case 'GET': {
      const user = await findUser(work, id)
      return isKnown(request, user.version) ? notModified(user.version) : one(user)
    }
    case 'PUT':
      return one(await replaceUser(work, id, await readBody(request), version))
    case 'PATCH':
      return one(await patchUser(work, id, await readBody(request), version))
    case 'DELETE':
      await removeUser(work, id)
      return { status: 204 }
    default:
      throw notAllowed('GET, PUT, PATCH, DELETE')
  }
}

async function answerGroups({ work, request, query, id }: Asked): Promise<Answer> {
  const shown = readProjection(query)
  const version = versionOf(request.headers['if-match'])
  const one = async (group: Parameters<typeof groupResource>[1], status = 200): Promise<Answer> =>
    withTag(project(await groupResource(work, group, shown), shown), group.version, status)
  if (id === undefined) {
    if (request.method === 'GET') return { status: 200, body: await listGroups(work, readListQuery(query)) }
    if (request.method === 'POST') return one(await createGroup(work, await readBody(request)), 201)
    throw notAllowed('GET, POST')
  }
  switch (request.method) {
    case 'GET': {
      const group = await findGroup(work, id)
      return isKnown(request, group.version) ? notModified(group.version) : one(group)
    }
    case 'PUT':
      return one(await replaceGroup(work, id, await readBody(request), version))
    case 'PATCH': {
      const group = await patchGroup(work, id, await readBody(request), version)
      // Thousands of members are not sent back to whoever has changed one of them, unless they ask.
      return query.has('attributes') ? one(group) : { status: 204, headers: { etag: tagOf(group.version) } }
    }
    case 'DELETE':
      await removeGroup(work, id)
      return { status: 204 }
    default:
      throw notAllowed('GET, PUT, PATCH, DELETE')
  }
}

function withTag(body: JsonObject, version: number, status: number): Answer {
  const location = status === 201 && typeof body.id === 'string' ? locationOf(body) : {}
  return { status, body, headers: { etag: tagOf(version), ...location } }
}

function locationOf({ meta }: JsonObject): Record<string, string> {
  const location = typeof meta === 'object' && meta !== null && !Array.isArray(meta) ? meta.location : undefined
  return typeof location === 'string' ? { location } : {}
}

function tagOf(version: number): string {
  return `W/"${version}"`
}

function isKnown(request: IncomingMessage, version: number): boolean {
  return versionOf(request.headers['if-none-match']) === version
}

function notModified(version: number): Answer {
  return { status: 304, headers: { etag: tagOf(version) } }
}

function notAllowed(allow: string): ScimError {
  return new ScimError(405, `Here are ${allow}`)
}

function isList(described: JsonObject | readonly JsonObject[]): described is readonly JsonObject[] {
  return Array.isArray(described)
}

function decode(text: string): string {
  try {
    return decodeURIComponent(text)
  } catch {
    throw new ScimError(404, 'There is nothing here')
  }
}

/** Enough for a group of as many members as one request may have. */
const mostBytes = 4 * 1024 * 1024
const withinMs = 30_000
const deepest = 12

/** Throws 413, `invalidSyntax`. */
async function readBody(request: IncomingMessage): Promise<JsonObject> {
  const type = request.headers['content-type']?.split(';')[0]?.trim().toLowerCase()
  if (type !== 'application/scim+json' && type !== 'application/json') throw new ScimError(415, 'The body must be application/scim+json')
  const chunks: Buffer[] = []
  let size = 0
  const late = setTimeout(() => request.destroy(), withinMs)
  try {
    for await (const chunk of request) {
      size += (chunk as Buffer).length
      if (size > mostBytes) throw new ScimError(413, `The body is larger than ${mostBytes} bytes`)
      chunks.push(chunk as Buffer)
    }
  } finally {
    clearTimeout(late)
  }
  let body: unknown
  try {
    body = parseJson(new TextDecoder('utf-8', { fatal: true }).decode(Buffer.concat(chunks)))
  } catch {
    throw badRequest('invalidSyntax', 'the body is not JSON')
  }
  if (!isShallow(body, deepest)) throw badRequest('invalidSyntax', 'the body is nested too deeply')
  return requireObject(body)
}

function failed(error: unknown, logger: Logger): Answer {
  if (error instanceof ScimError)
    return {
      status: error.status,
      body: error.toJSON() as JsonObject,
      headers: error.status === 401 ? { 'www-authenticate': 'Bearer realm="scim"' } : {},
    }
  const { status, message, code, cause } = asTurnwardError(error)
  logger.error({ code, err: cause }, 'a request of a directory failed')
  return {
    status,
    body: new ScimError(status, status >= 500 && code === 'gateway.internal' ? 'The gateway failed' : message).toJSON() as JsonObject,
  }
}

function send(request: IncomingMessage, response: ServerResponse, { status, body, headers = {} }: Answer): void {
  if (response.headersSent || response.destroyed) return
  const text = body === undefined ? '' : JSON.stringify(body)
  const about: Record<string, string | number> = { 'cache-control': 'no-store', ...headers }
  if (body !== undefined) Object.assign(about, { 'content-type': 'application/scim+json', 'content-length': Buffer.byteLength(text) })
  if (!request.complete) about.connection = 'close'
  response.writeHead(status, about).end(request.method === 'HEAD' ? '' : text)
}
