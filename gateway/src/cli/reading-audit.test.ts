/** `/api/audit`: who changed what, found among records of calls. */
import { auditSchema } from '@turnward/contract/api/audit'
import { afterAll, beforeAll, describe, expect, test } from 'vitest'
import type { z } from 'zod'
import { administrationRecord } from '../admin/administration-record.ts'
import { logBackends, type TestLog } from '../audit/log-backends.fixture.ts'
import { openDecisionLog } from '../audit/log-writer.ts'
import { LogReadingThread } from '../audit/reading/log-reading.ts'
import { decision } from '../audit/records.fixture.ts'
import { silentLogger } from '../core/logger.ts'
import type { Services } from '../turns/services.ts'
import { openApi, type TestApi } from './api.fixture.ts'

const at = 1_800_000_000_000
const administered = (id: string, time: number, act: string, subject: string, via: 'api' | 'command' = 'api') =>
  administrationRecord({ id, time, by: 'root', administration: { act, via }, subject, rules: [], reason: 'Because.', revision: 'r' })
const ruled = (event: 'asked' | 'approved' | 'denied', parts: object = {}) =>
  decision({ kind: 'approval', time: at + 1, subject: 'mail__send', approval: { id: 'ap_1', event, digest: 'd', ...parts } })

describe.each(logBackends.filter(({ isMissing }) => !isMissing))('changes on record in $name', (backend) => {
  let kept: TestLog
  let reading: LogReadingThread
  let api: TestApi
  beforeAll(async () => {
    kept = await backend.make()
    const log = await openDecisionLog({ place: kept.place, checkpointRecords: 10_000, checkpointMs: 60_000, logger: silentLogger })
    // Before there were acts, what they are said it.
    const { administration: _none, ...ofKey } = administered('old_key', at, 'keys.create', 'keys of alice')
    const { administration: _neither, ...ofRevision } = administered('old_revision', at, 'keys.create', 'put limits/mine')
    log.append(ofKey)
    log.append(ofRevision)
    for (let count = 0; count < 2500; count += 1) log.append(decision({ reason: 'keys of alice, says "kind":"configuration"' }))
    log.append(decision({ gaps: [{ kind: 'stop', detail: 'an administrator has stopped this tool', source: 'stop' }] }))
    log.append(ruled('asked'))
    log.append(ruled('approved', { by: 'carol', via: 'page' }))
    log.append(decision({ kind: 'stop', time: at + 2, principal: 'root', verdict: 'deny', subject: 'agent intern', turn: null }))
    log.append(administered('revoked', at + 3, 'keys.revoke', 'keys of Alice', 'command'))
    await log.appendDurably(decision({ principal: 'root', time: at + 4 }))
    await log.close()
    reading = new LogReadingThread(kept.place)
    api = await openApi({ reading, services: { store: { acts: { count: async () => 3 } } as unknown as Services['store'] } })
  })
  afterAll(async () => {
    await api?.[Symbol.asyncDispose]()
    await reading?.close()
    await kept?.[Symbol.asyncDispose]()
  })

  const audit = async (query = '') => {
    const { status, body } = await api.get<z.output<typeof auditSchema>>('viewer', `/api/audit${query}`)
    expect([status, auditSchema.safeParse(body).error]).toEqual([200, undefined])
    return body
  }
  const acts = async (query?: string) => (await audit(query)).changes.map(({ act }) => act)

  test('are those of administrators alone, the newest first, of whatever form', async () => {
    const { changes, waiting, next } = await audit()
    expect([waiting, next]).toEqual([3, null])
    expect(changes).toMatchObject([
      { act: 'keys.revoke', area: 'keys', by: 'root', via: 'command', subject: 'keys of Alice', id: 'revoked', turn: null },
      { act: 'stops.make', area: 'stops', by: 'root', via: null },
      { act: 'approvals.approve', area: 'approvals', by: 'carol', via: 'page', turn: 'turn_1' },
      { act: 'configuration.change', area: 'configuration', via: null },
      { act: 'keys.change', area: 'keys', via: null },
    ])
  })

  test('are found by who, what, when and in words', async () => {
    expect(await acts('?area=keys')).toEqual(['keys.revoke', 'keys.change'])
    expect(await acts('?area=approvals')).toEqual(['approvals.approve'])
    expect(await acts('?area=servers')).toEqual([])
    expect(await acts('?by=carol')).toEqual(['approvals.approve'])
    expect(await acts('?by=alice')).toEqual([])
    expect(await acts('?subject=alice')).toEqual(['keys.revoke', 'keys.change'])
    expect(await acts(`?from=${at + 2}&to=${at + 3}`)).toEqual(['stops.make'])
    expect(await acts('?q=LIMITS')).toEqual(['configuration.change'])
  })

  test('come page by page', async () => {
    const first = await audit('?limit=2')
    const rest = await audit(`?limit=50&cursor=${first.next}`)
    expect([...first.changes, ...rest.changes].map(({ act }) => act)).toEqual(await acts())
    expect(rest.next).toBeNull()
  })

  test('are for who may look, and for questions that are questions', async () => {
    expect((await api.get('alice', '/api/audit')).status).toBe(403)
    for (const query of ['area=other', 'limit=0', 'cursor=x', 'from=yesterday', 'principal=a'])
      expect([query, (await api.get('viewer', `/api/audit?${query}`)).status]).toEqual([query, 400])
  })
})
