/** The administration API on a socket, with an administrator of each role and two people without any. Not part of the product. */
import { createServer } from 'node:http'
import type { AddressInfo } from 'node:net'
import { apiEntrances } from '../admin/api-entrances.ts'
import { apiRoutes } from '../admin/api-routes.ts'
import { configOf, openFloors, type FloorsOptions } from '../invariants/floors.fixture.ts'
import type { Services } from '../turns/services.ts'
import { createDispatch } from './entrances.ts'

/** The people of the API, by what they are; `alice` and `bob` have no role. */
const people = ['alice', 'bob', 'viewer', 'auditor', 'admin'] as const
type Person = (typeof people)[number]

export interface TestApi extends AsyncDisposable {
  readonly origin: string
  /** Headers of a request of this person. */
  headersOf(person: Person): Record<string, string>
  /** Asks as this person; the answer as JSON, with its status. */
  get<Body = unknown>(person: Person, path: string): Promise<{ readonly status: number; readonly body: Body }>
}

export async function openApi(options: Omit<FloorsOptions, 'config'> & { readonly services?: Partial<Services> }): Promise<TestApi> {
  const keyOf = (person: Person): string => `tw_admin_key_of_${person}_000000000000`
  const floors = await openFloors({
    ...options,
    config: configOf({
      principals: Object.fromEntries(people.map((id) => [id, {}])),
      keys: Object.fromEntries(people.map((id) => [id, { principal: id, secret: keyOf(id), scopes: ['admin'] }])),
      identity: { roles: { viewer: { people: ['viewer'] }, auditor: { people: ['auditor'] }, admin: { people: ['admin'] } } },
    }),
  })
  const store = {
    ...floors.services.store,
    keys: { find: async () => undefined },
    ...options.services?.store,
  } as unknown as Services['store']
  const services = { ...floors.services, ...options.services, store }
  const sessions = { current: async () => undefined, checkRequest: () => {}, requestToken: () => '' }
  const http = createServer(createDispatch(apiEntrances({ services, sessions }, apiRoutes(services)), () => false))
  await new Promise<void>((resolve) => http.listen(0, '127.0.0.1', resolve))
  const origin = `http://127.0.0.1:${(http.address() as AddressInfo).port}`
  const headersOf = (person: Person): Record<string, string> => ({ authorization: `Bearer ${keyOf(person)}` })
  return {
    origin,
    headersOf,
    async get<Body>(person: Person, path: string) {
      const answer = await fetch(`${origin}${path}`, { headers: headersOf(person) })
      return { status: answer.status, body: (await answer.json()) as Body }
    },
    async [Symbol.asyncDispose]() {
      http.closeAllConnections()
      await new Promise((resolve) => http.close(resolve))
      await floors[Symbol.asyncDispose]()
    },
  }
}
