/** `/api/turns`, `/api/sessions` and `/api/usage`: what they answer, and to whom. */
import { sessionSchema, sessionsSchema, turnsSchema } from '@turnward/contract/api/turns'
import { usageSchema } from '@turnward/contract/api/usage'
import type { DecisionRecord } from '@turnward/contract/decision'
import { afterAll, beforeAll, describe, expect, test } from 'vitest'
import type { z } from 'zod'
import { decision } from '../audit/records.fixture.ts'
import { summariesBackends, type SummarisedLog } from '../audit/rolling-up/summaries.fixture.ts'
import { openApi, type TestApi } from './api.fixture.ts'

const day = Date.parse('2026-11-02T00:00:00Z')
const hour = 3_600_000

/** A turn with one model call and one tool call, begun in this hour of the day. */
function turn(name: string, at: number, parts: Partial<DecisionRecord> = {}): readonly DecisionRecord[] {
  const time = day + at * hour
  const common = { turn: name, session: `ses_of_${parts.principal ?? 'alice'}`, ...parts }
  const model = { ...common, kind: 'model_call', subject: parts.subject ?? 'm', upstream: 'u' } as const
  const cost = { amount: 0.1, currency: 'USD', prices: 'p', ...(parts.subject === 'mystery' ? { unpriced: ['mystery'] } : {}) } as const
  return [
    decision({ ...model, time }),
    decision({ ...common, time: time + 1, kind: 'tool_call', subject: 'crm__get', labelAfter: { trust: 'untrusted', audience: [] } }),
    decision({ ...model, time: time + 2, type: 'outcome', outcome: 'ok', usage: { inputTokens: 10, outputTokens: 1 }, cost }),
  ]
}

describe.each(summariesBackends)('summaries in $name', ({ make }) => {
  let log: SummarisedLog
  let api: TestApi
  beforeAll(async () => {
    log = await make()
    await log.write(
      ...turn('turn_1', 1, { groups: ['staff', 'sales'] }),
      ...turn('turn_2', 2, { groups: ['staff'], actor: 'robot' }),
      ...turn('turn_3', 26, { principal: 'bob', subject: 'mystery', route: 'm*', key: null }),
      decision({
        turn: 'turn_4',
        session: 'ses_of_alice',
        time: day + 27 * hour,
        subject: 'mail__send',
        verdict: 'deny',
        action: 'refuse',
      }),
    )
    await log.count()
    api = await openApi({ reading: log.reading, services: { store: log.store } })
  })
  afterAll(async () => {
    await api?.[Symbol.asyncDispose]()
    await log?.[Symbol.asyncDispose]()
  })

  type Who = Parameters<TestApi['get']>[0]
  const turns = async (who: Who, query = '') => (await api.get<z.output<typeof turnsSchema>>(who, `/api/turns${query}`)).body
  const idsOf = async (query: string, who: Who = 'viewer') => (await turns(who, query)).turns.map((one) => one.turn)
  const usage = async (query: string, who: Who = 'viewer') => (await api.get<z.output<typeof usageSchema>>(who, `/api/usage?${query}`)).body
  const span = 'from=2026-11-02&to=2026-11-03T23:30Z'

  test('turns, the last first, with what they came to', async () => {
    const body = await turns('viewer')
    expect([turnsSchema.safeParse(body).error, body.next]).toEqual([undefined, null])
    expect(body.turns.map((one) => one.turn)).toEqual(['turn_4', 'turn_3', 'turn_2', 'turn_1'])
    expect(body.turns.at(-1)).toMatchObject({
      session: 'ses_of_alice',
      principal: 'alice',
      groups: ['staff', 'sales'],
      key: 'ci',
      first: day + hour,
      last: day + hour + 2,
      modelCalls: 1,
      toolCalls: 1,
      models: ['m'],
      tools: ['crm__get'],
      label: { trust: 'untrusted' },
      totals: { inputTokens: 10, outputTokens: 1, cost: 0.1 },
      outcome: 'ok',
    })
  })

  test.each([
    ['?tool=crm__get', ['turn_3', 'turn_2', 'turn_1']],
    ['?model=m', ['turn_2', 'turn_1']],
    ['?agent=robot', ['turn_2']],
    ['?verdict=deny', ['turn_4']],
    ['?action=refuse&tool=mail__send', ['turn_4']],
    ['?label=untrusted&principal=bob', ['turn_3']],
    ['?session=ses_of_alice&tool=crm__get', ['turn_2', 'turn_1']],
    ['?from=2026-11-02T02:00Z&to=2026-11-03T03:00Z', ['turn_3', 'turn_2']],
    ['?tool=nothing', []],
  ])('turns that are asked for: %s', async (query, expected) => {
    expect(await idsOf(query)).toEqual(expected)
  })

  test('a list goes on where it was, whatever has begun since', async () => {
    for (const filter of ['', '&tool=crm__get']) {
      const first = await turns('viewer', `?limit=2&to=2026-11-04${filter}`)
      await log.write(...turn(`turn_new${filter.length}`, 30))
      await log.count()
      const rest = await turns('viewer', `?limit=9&cursor=${first.next}${filter}`)
      const ids = [...first.turns, ...rest.turns].map((one) => one.turn).filter((id) => !id.startsWith('turn_new'))
      expect(ids).toEqual(filter === '' ? ['turn_4', 'turn_3', 'turn_2', 'turn_1'] : ['turn_3', 'turn_2', 'turn_1'])
    }
  })

  test('whoever has no role is shown their own', async () => {
    expect(await idsOf('', 'bob')).toEqual(['turn_3'])
    expect(await idsOf('?principal=alice', 'bob')).toEqual([])
    expect(await idsOf('?session=ses_of_alice', 'bob')).toEqual([])
    expect((await api.get('bob', '/api/sessions/ses_of_alice')).status).toBe(404)
    expect((await api.get('bob', '/api/sessions/ses_of_bob')).status).toBe(200)
    expect((await usage(`by=principal&${span}`, 'bob')).totals).toMatchObject([{ value: 'bob', calls: 1 }])
    expect((await usage(`by=principal&principal=alice&${span}`, 'bob')).totals).toEqual([])
    expect((await usage(`by=model&${span}`, 'bob')).unpriced).toEqual(['mystery'])
    expect((await usage(`by=model&${span}`, 'alice')).unpriced).toEqual([])
  })

  test('sessions, and one with its turns', async () => {
    const list = (await api.get<z.output<typeof sessionsSchema>>('viewer', '/api/sessions?principal=alice')).body
    expect(sessionsSchema.safeParse(list).error).toBeUndefined()
    expect(list.sessions).toMatchObject([{ session: 'ses_of_alice', principal: 'alice', refusals: 1, tools: ['crm__get', 'mail__send'] }])
    const { body } = await api.get<z.output<typeof sessionSchema>>('viewer', '/api/sessions/ses_of_alice')
    expect(sessionSchema.safeParse(body).error).toBeUndefined()
    expect([body.turns, body.latest.length]).toEqual([5, 5])
    expect(body.latest.at(-1)?.turn).toBe('turn_1')
    expect(await api.get('viewer', '/api/sessions/none')).toMatchObject({ status: 404, body: { error: { code: 'session.not_found' } } })
  })

  test.each([
    ['principal', { alice: 2, bob: 1 }],
    ['group', { staff: 2, sales: 1, '': 1 }],
    ['key', { ci: 2, '': 1 }],
    ['agent', { robot: 1, '': 2 }],
    ['model', { m: 2, mystery: 1 }],
    ['upstream', { u: 3 }],
    ['route', { m: 2, 'm*': 1 }],
    ['consumer', { '': 3 }],
  ])('usage by %s', async (by, calls) => {
    const body = await usage(`by=${by}&to=2026-11-03T02:59Z&from=2026-11-02`)
    expect(usageSchema.safeParse(body).error).toBeUndefined()
    expect(Object.fromEntries(body.totals.map((one) => [one.value, one.calls]))).toEqual(calls)
  })

  test('usage by the hour and by the day, with models named that have no price', async () => {
    const hours = await usage('by=model&from=2026-11-02T01:30Z&to=2026-11-03T02:59Z')
    expect(hours.rows.map(({ start, value, cost }) => [(start - day) / hour, value, cost])).toEqual([
      [1, 'm', 0.1],
      [2, 'm', 0.1],
      [26, 'mystery', 0.1],
    ])
    expect([hours.unpriced, hours.from, hours.to]).toEqual([['mystery'], day + hour, day + 27 * hour])
    const days = await usage('by=model&step=day&from=2026-11-02T01:30Z&to=2026-11-02T02:00Z')
    expect(days.rows).toEqual([{ start: day, value: 'm', calls: 2, failures: 0, inputTokens: 20, outputTokens: 2, cost: 0.2, unpriced: 0 }])
    expect((await usage('by=model')).rows).toEqual([])
  })

  test.each([
    '/api/turns?limit=0',
    '/api/turns?cursor=e30',
    '/api/sessions?verdict=perhaps',
    '/api/usage?by=colour',
    '/api/usage?from=soon',
  ])('a question that is none is refused: %s', async (path) => {
    expect(await api.get('viewer', path)).toMatchObject({ status: 400, body: { error: { code: 'request.invalid' } } })
  })
})
