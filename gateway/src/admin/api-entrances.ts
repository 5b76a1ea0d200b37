/** Lines of the administration API as ways in: who may come is settled before anything of a request is read. */
import type { IncomingMessage, ServerResponse } from 'node:http'
import type { z } from 'zod'
import { TurnwardError } from '../core/error.ts'
import { queryOf } from '../core/request-target.ts'
import type { ScriptSessions } from '../identity/browser/sign-in.ts'
import { guardHostName } from '../tools/endpoint/host-guard.ts'
import type { Services } from '../turns/services.ts'
import { type Administrator, administratorOf, requirePerson, requireRole } from './administrators.ts'
import { answerJson, decodePath, readApiBody } from './api-exchange.ts'
import type { ApiRoute } from './api-route.ts'
import { RequestRate } from './request-rate.ts'

/** A way in, as the table of entrances has it. */
export interface ApiEntrance {
  readonly path: string
  readonly methods: readonly string[]
  readonly needs: ApiRoute['needs']
  readonly handle: (request: IncomingMessage, response: ServerResponse, parameter: string) => Promise<void>
}

export interface ApiParts {
  readonly services: Services
  /** Who is signed in in a browser. */
  readonly sessions: ScriptSessions
}

/** Every line as a way in. */
export function apiEntrances({ services, sessions }: ApiParts, routes: readonly ApiRoute[]): readonly ApiEntrance[] {
  const { snapshot, clock } = services
  const rate = new RequestRate(clock)
  return routes.map((route): ApiEntrance => {
    const { path, method, needs, query, body, answer, mostBytes, isSecret } = route
    const names = [...path.matchAll(/\{(\w+)/g)].map(([, name = '']) => name)
    return {
      path,
      methods: [method],
      needs,
      async handle(request, response, parameter) {
        guardHostName(request.headers, snapshot().settings.listen)
        const who = async (): Promise<Administrator> => {
          const found = await administratorOf(services, sessions, request)
          if (needs === 'person') requirePerson(found)
          else if (needs !== 'caller') requireRole(found, needs.role)
          return found
        }
        const administrator = await who()
        rate.count(administrator.id)
        const asked = {
          administrator,
          who,
          parameters: parametersIn(names, parameter),
          query: query === undefined ? undefined : checked(query, queryIn(request), 'query'),
          body:
            body === undefined
              ? undefined
              : checked(body, await readApiBody(request, snapshot().settings.limits, mostBytes), 'body', isSecret),
          request,
          response,
        }
        const answered = await route.run(asked)
        if (!('media' in answer)) answerJson(response, answered)
      },
    }
  })
}

function parametersIn(names: readonly string[], text: string): Readonly<Record<string, string>> {
  const parts = names.length < 2 ? [text] : text.split('/')
  const valueAt = (at: number): string => (at < names.length - 1 ? (parts[at] ?? '') : parts.slice(at).join('/'))
  return Object.fromEntries(names.map((name, at) => [name, decodePath(valueAt(at))]))
}

/** Throws `request.invalid` for a name that is there twice: whoever reads the first and whoever reads the last would not agree. */
function queryIn(request: IncomingMessage): Readonly<Record<string, string>> {
  const found = new Map<string, string>()
  for (const [name, value] of new URLSearchParams(queryOf(request))) {
    if (found.has(name)) throw new TurnwardError('request.invalid', { subject: name.slice(0, 64), why: 'it is in the query twice' })
    found.set(name, value)
  }
  return Object.fromEntries(found)
}

/** What is wrong is told without quoting a value: somebody may have put a secret anywhere. */
function checked(schema: z.ZodType, value: unknown, what: string, isSecret = false): unknown {
  const parsed = schema.safeParse(value)
  if (parsed.success) return parsed.data
  const problems = parsed.error.issues.map((issue) => {
    const place = issue.path.map(String).join('.').slice(0, 200)
    const unknown = issue.code === 'unrecognized_keys' ? issue.keys.slice(0, 5).map((key) => JSON.stringify(key.slice(0, 64))) : []
    const named = isSecret ? 'it has a field that is not known' : `there is no ${unknown.join(', no ')} here`
    const why = unknown.length > 0 ? named : issue.message.slice(0, 300)
    return place === '' ? why : `${place}: ${why}`
  })
  throw new TurnwardError('request.invalid', { subject: what, why: problems.slice(0, 10).join('; ') })
}
