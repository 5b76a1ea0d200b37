/** `/api/turns` and `/api/decisions`: what they answer, and to whom. */
import { turnSchema } from '@turnward/contract/api/turns'
import { decisionsSchema } from '@turnward/contract/api/decisions'
import { afterAll, beforeAll, describe, expect, test } from 'vitest'
import type { z } from 'zod'
import { silentLogger } from '../core/logger.ts'
import { logBackends, type TestLog } from '../audit/log-backends.fixture.ts'
import { openDecisionLog } from '../audit/log-writer.ts'
import { LogReadingThread } from '../audit/reading/log-reading.ts'
import { decision } from '../audit/records.fixture.ts'
import { openApi, type TestApi } from './api.fixture.ts'

const open = { trust: 'trusted', audience: [] }
const tainted = { trust: 'untrusted', audience: [['alice']] }
const gap = { kind: 'trust', detail: 'it needs a session of trust `trusted`', source: 'contract mail__send' } as const
const remedy = { kind: 'approve', detail: 'finance may approve it' } as const

describe.each(logBackends.filter(({ isMissing }) => !isMissing))('what is on record in $name', (backend) => {
  let kept: TestLog
  let reading: LogReadingThread
  let api: TestApi
  beforeAll(async () => {
    kept = await backend.make()
    const log = await openDecisionLog({ place: kept.place, checkpointRecords: 1000, checkpointMs: 60_000, logger: silentLogger })
    log.append(decision({ id: 'dec_model', kind: 'model_call', modelCall: 'mc_1', subject: 'm', upstream: 'u', credential: 'upstream:u' }))
    log.append(decision({ id: 'dec_read', subject: 'web__fetch', type: 'outcome', outcome: 'ok', labelBefore: open, labelAfter: tainted }))
    log.append(
      decision({
        kind: 'tool_proposal',
        modelCall: 'mc_1',
        subject: 'mail__send',
        verdict: 'deny',
        action: 'refuse',
        gaps: [gap],
        remedies: [remedy],
        approval: { id: 'ap_1', event: 'asked', digest: 'd' },
      }),
    )
    for (let index = 0; index < 5; index += 1) log.append(decision({ principal: 'bob', turn: 'turn_of_bob' }))
    await log.appendDurably(decision({ time: Date.parse('2030-01-01T00:00:00Z') }))
    await log.close()
    reading = new LogReadingThread(kept.place)
    api = await openApi({ reading })
  })
  afterAll(async () => {
    await api?.[Symbol.asyncDispose]()
    await reading?.close()
    await kept?.[Symbol.asyncDispose]()
  })

  const decisions = (who: 'viewer' | 'alice' | 'bob', query = '') =>
    api.get<z.output<typeof decisionsSchema>>(who, `/api/decisions${query}`)

  test('a turn: what was refused and what would allow it, what was gained, with which credentials', async () => {
    const { status, body } = await api.get('viewer', '/api/turns/turn_1')
    expect([status, turnSchema.safeParse(body).error]).toEqual([200, undefined])
    expect(body).toMatchObject({
      turn: 'turn_1',
      principal: 'alice',
      key: 'ci',
      records: 4,
      truncated: false,
      modelCalls: [{ credential: 'upstream:u', proposals: [{ subject: 'mail__send', approval: 'ap_1' }] }],
      labels: [{ decision: 'dec_read', subject: 'web__fetch', before: open, after: tainted }],
      refused: [{ subject: 'mail__send', gaps: [gap], remedies: [remedy] }],
    })
  })

  test('is shown to whoever has a role; others see their own', async () => {
    for (const who of ['viewer', 'auditor', 'admin', 'bob'] as const)
      expect([who, (await api.get(who, '/api/turns/turn_of_bob')).status]).toEqual([who, 200])
    expect(await api.get('alice', '/api/turns/turn_of_bob')).toMatchObject({ status: 404, body: { error: { code: 'turn.not_found' } } })
    expect(await api.get('viewer', '/api/turns/turn_9')).toMatchObject({ status: 404, body: { error: { code: 'turn.not_found' } } })
    const count = async (...asked: Parameters<typeof decisions>) => (await decisions(...asked)).body.decisions.length
    expect([await count('viewer'), await count('alice'), await count('bob')]).toEqual([9, 4, 5])
    expect(await count('alice', '?principal=bob')).toBe(0)
    expect(await count('alice', '?turn=turn_of_bob')).toBe(0)
    expect(await count('viewer', '?principal=bob')).toBe(5)
  })

  test('records: found by what they say, page by page', async () => {
    const first = await decisions('viewer', '?limit=5')
    expect([first.status, decisionsSchema.safeParse(first.body).error]).toEqual([200, undefined])
    const rest = await decisions('viewer', `?cursor=${first.body.next}`)
    expect(rest.body.next).toBeNull()
    const ids = [...first.body.decisions, ...rest.body.decisions].map(({ record }) => record.id)
    expect([ids.length, new Set(ids).size, ids.at(-1)]).toEqual([9, 9, 'dec_model'])
    const found = async (query: string) => (await decisions('viewer', `?${query}`)).body.decisions.map(({ record }) => record.subject)
    expect(await found('action=refuse')).toEqual(['mail__send'])
    expect(await found('q=FINANCE%20may')).toEqual(['mail__send'])
    expect(await found('model=m')).toEqual(['m'])
    expect(await found('from=2029-12-31T00:00Z')).toHaveLength(1)
    expect(await found('to=2029-12-31&upstream=u')).toEqual(['m'])
  })

  test.each([
    ['limit=201', 'query'],
    ['kind=other', 'query'],
    ['from=yesterday', 'query'],
    ['q=', 'query'],
    ['cursor=e30', 'cursor'],
    ['cursor=%00', 'cursor'],
    [`cursor=${Buffer.from('[1,2,"3"]').toString('base64url')}`, 'cursor'],
    [`cursor=${Buffer.from('[1.5,2,3]').toString('base64url')}`, 'cursor'],
  ])('a question that is none is refused: %s', async (query, subject) => {
    expect(await api.get('viewer', `/api/decisions?${query}`)).toMatchObject({
      status: 400,
      body: { error: { code: 'request.invalid', subject } },
    })
  })

  test('a cursor that points nowhere finds nothing, or begins at the end', async () => {
    const at = (...parts: readonly number[]) => Buffer.from(JSON.stringify(parts)).toString('base64url')
    for (const [cursor, count] of [
      [at(-1, 0, -5), 0],
      [at(Number.MAX_SAFE_INTEGER, Number.MAX_SAFE_INTEGER, Number.MAX_SAFE_INTEGER), 9],
    ] as const)
      expect((await decisions('viewer', `?cursor=${cursor}`)).body.decisions).toHaveLength(count)
  })
})
