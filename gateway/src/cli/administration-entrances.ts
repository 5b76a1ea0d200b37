/** `/api`: who one is here, and people, for those who administer. Every line says which role it needs, and is given to nobody else. */
import type { IncomingMessage, ServerResponse } from 'node:http'
import { TurnwardError } from '../core/error.ts'
import { isObject } from '../core/json.ts'
import { parseJson } from '../core/parse-json.ts'
import { createPeopleService } from '../identity/people/people-service.ts'
import type { Role } from '../identity/people/roles.ts'
import { presentedBy } from '../identity/ways/presented-by.ts'
import { guardHostName } from '../tools/endpoint/host-guard.ts'
import type { Services } from '../turns/services.ts'
import { readRequestBytes } from '../wire/request/request-bytes.ts'
import type { Entrance } from './entrance-table.ts'
import { queryOf } from './plain-errors.ts'

const mostAtOnce = 500

/** The lines of the table for administrators. */
export function administrationEntrances(services: Services): readonly Entrance[] {
  const { snapshot, store, clock } = services
  const people = createPeopleService({ store, clock })
  const guarded =
    (handle: Entrance['handle']): Entrance['handle'] =>
    (request, response, parameter) => {
      guardHostName(request.headers, snapshot().settings.listen)
      return handle(request, response, parameter)
    }
  const forRole = (role: Role, path: string, method: string, answer: Answering): Entrance => ({
    path,
    methods: [method],
    needs: { role },
    handle: guarded(async (request, response, parameter) => {
      await requireRole(services, request, role)
      answerJson(response, await answer(request, parameter))
    }),
  })
  return [
    {
      path: '/api/me',
      methods: ['GET'],
      needs: 'caller',
      handle: guarded(async (request, response) => answerJson(response, await administratorOf(services, request))),
    },
    forRole('viewer', '/api/people', 'GET', async (request) => {
      const query = new URLSearchParams(queryOf(request))
      return { people: await people.list(query.get('after') ?? '', mostAtOnce) }
    }),
    forRole('viewer', '/api/people/{id...}', 'GET', (_request, id) => people.show(decode(id))),
    forRole('admin', '/api/people/{id...}', 'PATCH', async (request, parameter) => {
      const id = decode(parameter)
      const active = await readActive(services, request)
      return people.setActive(id, active, snapshot().principals.has(id))
    }),
  ]
}

type Answering = (request: IncomingMessage, parameter: string) => Promise<unknown>

interface Administrator {
  readonly id: string
  readonly groups: readonly string[]
  readonly roles: readonly Role[]
}

/**
 * Who administers with a request. A key or token of somebody with a role administers nothing unless it was made for that (scope
 * `admin`), and nothing in the hands of an agent.
 */
async function administratorOf({ authenticator, people, snapshot }: Services, request: IncomingMessage): Promise<Administrator> {
  const current = snapshot()
  const { principal, scopes, actors } = await authenticator.authenticate(presentedBy(request), current, 'admin')
  const { id, groups } = principal
  const mayAdminister = scopes?.includes('admin') === true && actors.length === 0
  return { id, groups, roles: mayAdminister ? await people.roles(id, current) : [] }
}

async function requireRole(services: Services, request: IncomingMessage, role: Role): Promise<void> {
  const { id, roles } = await administratorOf(services, request)
  if (roles.includes(role)) return
  throw new TurnwardError('auth.role', { subject: id, why: `it needs \`${role}\`, and a key or token with the scope \`admin\`` })
}

async function readActive({ snapshot }: Services, request: IncomingMessage): Promise<boolean> {
  const bytes = await readRequestBytes(request, snapshot().settings.limits)
  let body: unknown
  try {
    body = parseJson(bytes.toString('utf8'))
  } catch {
    throw new TurnwardError('request.malformed')
  }
  if (!isObject(body) || Object.keys(body).join() !== 'active' || typeof body.active !== 'boolean')
    throw new TurnwardError('request.invalid', { subject: 'active', why: 'the body must be `{"active": true}` or `{"active": false}`' })
  return body.active
}

function answerJson(response: ServerResponse, value: unknown): void {
  const text = JSON.stringify(value)
  const headers = { 'content-type': 'application/json', 'cache-control': 'no-store', 'content-length': Buffer.byteLength(text) }
  response.writeHead(200, headers).end(text)
}

function decode(text: string): string {
  try {
    return decodeURIComponent(text)
  } catch {
    throw new TurnwardError('request.invalid', { subject: 'path', why: 'it is not percent-encoded UTF-8' })
  }
}
