/** `/api`: who one is here, one's provider credentials, and people, for those who administer. Every line says who it is for, and is given to nobody else. */
import type { IncomingMessage } from 'node:http'
import { TurnwardError } from '../core/error.ts'
import { isObject } from '../core/json.ts'
import type { ScriptSessions } from '../identity/browser/sign-in.ts'
import { managedGroups } from '../identity/credential-managers.ts'
import { createPeopleService } from '../identity/people/people-service.ts'
import type { Role } from '../identity/people/roles.ts'
import { guardHostName } from '../tools/endpoint/host-guard.ts'
import type { Services } from '../turns/services.ts'
import { type Administrator, administratorOf, requirePerson, requireRole } from './administrators.ts'
import { answerJson, decodePath, readApiBody } from './api-exchange.ts'
import { createOwnCredentials } from './own-credentials.ts'
import type { Entrance } from './entrance-table.ts'
import { queryOf } from './plain-errors.ts'

const mostAtOnce = 500

/** The lines of the table for administrators, and for what people look after themselves. */
export function administrationEntrances(services: Services, sessions: ScriptSessions): readonly Entrance[] {
  const { snapshot, store, clock } = services
  const people = createPeopleService({ store, clock })
  const credentials = createOwnCredentials(services)
  const line = (
    needs: Entrance['needs'],
    path: string,
    method: string,
    require: (administrator: Administrator) => void,
    answer: Answering,
  ): Entrance => ({
    path,
    methods: [method],
    needs,
    async handle(request, response, parameter) {
      guardHostName(request.headers, snapshot().settings.listen)
      const administrator = await administratorOf(services, sessions, request)
      require(administrator)
      answerJson(response, await answer(administrator, request, parameter))
    },
  })
  const forRole = (role: Role, path: string, method: string, answer: Answering): Entrance =>
    line({ role }, path, method, (administrator) => requireRole(administrator, role), answer)
  const forPerson = (path: string, method: string, answer: Answering): Entrance => line('person', path, method, requirePerson, answer)
  return [
    line(
      'caller',
      '/api/me',
      'GET',
      () => {},
      async ({ id, groups, roles, form }) => ({
        id,
        groups,
        roles,
        manages: managedGroups({ id }, snapshot()),
        ...(form === undefined ? {} : { form: { header: 'x-turnward-form', value: form } }),
      }),
    ),
    forPerson('/api/me/credentials', 'GET', async (person) => ({ credentials: await credentials.list(person) })),
    forPerson('/api/me/credentials', 'POST', async (person, request) =>
      credentials.store(person, await readApiBody(request, snapshot().settings.limits)),
    ),
    forPerson('/api/me/credentials/{id...}', 'DELETE', (person, _request, id) => credentials.remove(person, decodePath(id))),
    forRole('viewer', '/api/people', 'GET', async (_administrator, request) => {
      const query = new URLSearchParams(queryOf(request))
      return { people: await people.list(query.get('after') ?? '', mostAtOnce) }
    }),
    forRole('viewer', '/api/people/{id...}', 'GET', (_administrator, _request, id) => people.show(decodePath(id))),
    forRole('admin', '/api/people/{id...}', 'PATCH', async (_administrator, request, parameter) => {
      const id = decodePath(parameter)
      const active = readActive(await readApiBody(request, snapshot().settings.limits))
      return people.setActive(id, active, snapshot().principals.has(id))
    }),
  ]
}

type Answering = (administrator: Administrator, request: IncomingMessage, parameter: string) => Promise<unknown>

function readActive(body: unknown): boolean {
  if (!isObject(body) || Object.keys(body).join() !== 'active' || typeof body.active !== 'boolean')
    throw new TurnwardError('request.invalid', { subject: 'active', why: 'the body must be `{"active": true}` or `{"active": false}`' })
  return body.active
}
