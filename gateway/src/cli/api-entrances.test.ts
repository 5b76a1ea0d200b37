/** What a request of the administration is checked for before anything is done, and what is told of what is wrong. */
import { createServer } from 'node:http'
import type { AddressInfo } from 'node:net'
import { afterAll, beforeAll, describe, expect, test } from 'vitest'
import { z } from 'zod'
import { configOf, openFloors, type Floors } from '../invariants/floors.fixture.ts'
import { answerPlainError } from './plain-errors.ts'
import { EntranceTable } from './entrance-table.ts'
import { apiEntrances } from '../admin/api-entrances.ts'
import { apiRoute } from '../admin/api-route.ts'

const key = 'tw_admin_key_of_an_admin_00000000'
const secret = 'a-secret-in-the-wrong-place'
const ran: unknown[] = []
let floors: Floors
let origin: string
let close: () => void

beforeAll(async () => {
  floors = await openFloors({
    config: configOf({
      principals: { admin: {} },
      keys: { admin: { principal: 'admin', secret: key, scopes: ['admin'] } },
      identity: { roles: { admin: { people: ['admin'] } } },
    }),
  })
  const line = { needs: { role: 'viewer' }, tag: 'Things', summary: 'A thing' } as const
  const routes = [
    apiRoute({
      ...line,
      path: '/api/things/{kind}/{name...}',
      method: 'PUT',
      query: z.strictObject({ dry_run: z.enum(['true', 'false']).default('false') }),
      body: z.strictObject({ value: z.number() }),
      answer: z.object({ done: z.boolean() }),
      mostBytes: 256,
      run: async ({ parameters, query, body }) => {
        ran.push({ parameters, query, body })
        return { done: true }
      },
    }),
  ]
  const sessions = { current: async () => undefined, checkRequest: () => {}, requestToken: () => '' }
  const store = { ...floors.services.store, keys: { find: async () => undefined } } as unknown as typeof floors.services.store
  const table = new EntranceTable(apiEntrances({ services: { ...floors.services, store }, sessions }, routes))
  const http = createServer((request, response) => {
    const found = table.find((request.url ?? '').split('?')[0] ?? '', request.method)
    const answered = Promise.resolve(found?.entrance.handle(request, response, found.parameter))
    answered.catch((error: unknown) => answerPlainError(request, response, error))
  })
  await new Promise<void>((resolve) => http.listen(0, '127.0.0.1', resolve))
  origin = `http://127.0.0.1:${(http.address() as AddressInfo).port}`
  close = () => {
    http.closeAllConnections()
    http.close()
  }
})
afterAll(async () => {
  close()
  await floors[Symbol.asyncDispose]()
})

async function put(path: string, body: string, headers: Record<string, string> = { authorization: `Bearer ${key}` }) {
  const answer = await fetch(`${origin}${path}`, { method: 'PUT', headers, body })
  const { error = {} } = (await answer.json()) as { error?: { code?: string; why?: string; subject?: string } }
  return { status: answer.status, headers: answer.headers, error }
}

test('what fits goes on as it was read, parts of the path decoded one by one', async () => {
  const { status, headers } = await put('/api/things/rules/a%2Fb/c?dry_run=true', '{"value": 1}')
  expect(status).toBe(200)
  expect(headers.get('cache-control')).toBe('no-store')
  expect(headers.get('content-security-policy')).toContain("default-src 'none'")
  expect(headers.get('access-control-allow-origin')).toBeNull()
  expect(ran.splice(0)).toEqual([{ parameters: { kind: 'rules', name: 'a/b/c' }, query: { dry_run: 'true' }, body: { value: 1 } }])
})

describe('what does not fit is refused with its place and without its value', () => {
  const cases: readonly (readonly [what: string, path: string, body: string, code: string, subject: string | undefined])[] = [
    ['a field that is not known', '', `{"value": 1, "other": "${secret}"}`, 'request.invalid', 'body'],
    ['a value of another kind', '', `{"value": "${secret}"}`, 'request.invalid', 'body'],
    ['a body that is no JSON', '', `{"value": ${secret}}`, 'request.malformed', undefined],
    ['a body that is too deep', '', `{"value": ${'['.repeat(70)}${']'.repeat(70)}}`, 'request.too_deep', undefined],
    ['a body that is too large', '', `{"value": ${'1'.repeat(300)}}`, 'request.too_large', undefined],
    ['a query that is not known', `?other=${secret}`, '{"value": 1}', 'request.invalid', 'query'],
    ['a query with another value', `?dry_run=${secret}`, '{"value": 1}', 'request.invalid', 'query'],
    ['a query that says two things', '?dry_run=true&dry_run=false', '{"value": 1}', 'request.invalid', 'dry_run'],
  ]
  test.each(cases)('%s', async (_what, query, body, code, subject) => {
    const { status, error } = await put(`/api/things/rules/x${query}`, body)
    expect([status < 500, error.code]).toEqual([true, code])
    if (subject !== undefined) expect(error.subject).toBe(subject)
    if (_what.endsWith('is not known')) expect(error.why).toBe('there is no "other" here')
    expect(JSON.stringify(error)).not.toContain(secret)
    expect(ran).toEqual([])
  })
})

test('who it is for is settled before a byte of the body is read', async () => {
  expect((await put('/api/things/rules/x', '{', {})).error.code).toBe('auth.missing_key')
  expect((await put('/api/things/rules/x', '{', { authorization: 'Bearer tw_nobody' })).status).toBe(401)
})
