/** Who may rule, how many it takes, and what a ruling is for. */
import { afterEach, beforeEach, describe, expect, test } from 'vitest'
import { digestJson } from '../../core/hash.ts'
import { silentLogger } from '../../core/logger.ts'
import { RecordingLog } from '../../invariants/recording-log.fixture.ts'
import { configOf, snapshotOf } from '../../invariants/floors.fixture.ts'
import type { ApprovalTerms } from '../../policy/types.ts'
import { storeBackends, type TestStores } from '../../store/backends.fixture.ts'
import { testClock } from '../state-and-clock.fixture.ts'
import type { ApprovalFacts } from './approval.ts'
import { Approvals, type CallQuestion } from './approvals.ts'

const terms = (over: Partial<ApprovalTerms> = {}): ApprovalTerms => ({
  source: 'rule eyes',
  from: ['@finance'],
  count: 1,
  self: false,
  ...over,
})
const bob = { id: 'bob', groups: ['finance'] }
const carol = { id: 'carol', groups: ['finance'] }
const dave = { id: 'dave', groups: ['staff'] }
const alice = { id: 'alice', groups: ['finance'] }
const secretWords = 'the account of acme'

function factsOf(over: Partial<ApprovalFacts> = {}): Omit<ApprovalFacts, 'nonce'> {
  const args = over.args ?? { to: secretWords }
  return {
    tool: 'office__pay',
    args,
    argumentsDigest: digestJson(args),
    toolDigest: 'd1',
    principal: 'alice',
    groups: ['finance'],
    actor: null,
    consumer: null,
    key: 'k',
    session: 'ses_1',
    turn: 'turn_1',
    modelCall: null,
    toolCallId: 'call_1',
    gateway: null,
    reason: 'Finance looks at it.',
    terms: [terms()],
    label: { trust: 'trusted', audience: [] },
    revision: 'r',
    ...over,
  }
}

const question = (over: Partial<ApprovalFacts> = {}, more: Partial<CallQuestion> = {}): CallQuestion => ({
  facts: factsOf(over),
  callKey: 'tc_1',
  step: 'run',
  goesOn: true,
  isSame: () => true,
  ...more,
})

describe.each(storeBackends)('approvals on $name', ({ isMissing, make }) => {
  describe.skipIf(isMissing)('a ruling', () => {
    let stores: TestStores
    let log: RecordingLog
    const clock = testClock()
    beforeEach(async () => {
      stores = await make()
      log = new RecordingLog()
    })
    afterEach(async () => {
      await stores[Symbol.asyncDispose]()
    })

    async function open(config: Parameters<typeof configOf>[0] = {}): Promise<Approvals> {
      const snapshot = snapshotOf(configOf(config))
      const { approvals } = await stores.open()
      return new Approvals({ table: approvals, log, clock, logger: silentLogger, secret: Buffer.alloc(32, 9), snapshot: () => snapshot })
    }
    const approve = { ruling: 'approve', via: 'api' } as const

    test('is for approvers only, and not for the person whose call it is, unless that is said', async () => {
      const approvals = await open()
      const { id } = await approvals.ask(factsOf())
      await expect(approvals.rule(id, alice, approve)).rejects.toMatchObject({ code: 'approval.not_approver' })
      // Whoever has nothing to do with it does not learn that it is there.
      await expect(approvals.rule(id, dave, approve)).rejects.toMatchObject({ code: 'approval.not_found' })
      expect((await approvals.find(id))?.status).toBe('pending')
      const own = await approvals.ask(factsOf({ terms: [terms({ self: true })] }))
      expect((await approvals.rule(own.id, alice, approve)).status).toBe('approved')
    })

    test('counts once for each person: two have to approve, any one may deny', async () => {
      const [here, there] = [await open(), await open()]
      const { id } = await here.ask(factsOf({ terms: [terms({ count: 2 })] }))
      expect((await here.rule(id, bob, approve)).status).toBe('pending')
      await expect(there.rule(id, bob, approve)).rejects.toMatchObject({ code: 'approval.over' })
      expect((await there.rule(id, carol, approve)).status).toBe('approved')
      expect(log.decisions('approval').map(({ approval }) => [approval?.event, approval?.by])).toEqual([
        ['asked', undefined],
        ['approved', 'bob'],
        ['approved', 'carol'],
      ])
      const other = await here.ask(factsOf({ args: { to: 'x' }, terms: [terms({ count: 2 })] }))
      await here.rule(other.id, bob, approve)
      expect((await there.rule(other.id, carol, { ruling: 'deny', via: 'api', reason: 'No.' })).status).toBe('denied')
    })

    test('of two people at the same time both count, and of a yes and a no one does', async () => {
      const [here, there] = [await open(), await open()]
      const two = await here.ask(factsOf({ terms: [terms({ count: 2 })] }))
      await Promise.all([here.rule(two.id, bob, approve), there.rule(two.id, carol, approve)])
      expect((await here.find(two.id))?.status).toBe('approved')
      const one = await here.ask(factsOf({ args: { to: 'y' } }))
      const ruled = await Promise.allSettled([here.rule(one.id, bob, approve), there.rule(one.id, carol, { ruling: 'deny', via: 'api' })])
      expect(ruled.filter(({ status }) => status === 'fulfilled')).toHaveLength(1)
      expect((await there.find(one.id))?.rulings).toHaveLength(1)
    })

    test('has to satisfy everybody who asks for one', async () => {
      const approvals = await open()
      const { id } = await approvals.ask(factsOf({ terms: [terms(), terms({ source: 'contract x', from: ['dave'] })] }))
      expect((await approvals.rule(id, bob, approve)).status).toBe('pending')
      expect((await approvals.rule(id, dave, approve)).status).toBe('approved')
    })

    test('is refused when what was looked at is not what waits, and does not count when it cannot be put on record', async () => {
      const approvals = await open()
      const { id, digest } = await approvals.ask(factsOf())
      await expect(approvals.rule(id, bob, { ...approve, digest: digestJson('another') })).rejects.toMatchObject({ code: 'approval.over' })
      log.breaks = () => true
      await expect(approvals.rule(id, bob, { ...approve, digest })).rejects.toMatchObject({ code: 'audit.unwritable' })
      expect(await approvals.find(id)).toMatchObject({ status: 'pending', rulings: [] })
      log.breaks = () => false
      expect((await approvals.rule(id, bob, { ...approve, digest })).status).toBe('approved')
    })

    test('lets nothing run before it is on record, at any replica, and is taken back by whoever cannot record it', async () => {
      const [here, there] = [await open(), await open()]
      const { id } = await here.ask(factsOf())
      const { id: both } = await here.ask(factsOf({ args: { both: true }, terms: [terms({ count: 2 })] }))
      const bothCalls = question({ args: { both: true }, terms: [terms({ count: 2 })] })
      let fails: (error: Error) => void = () => {}
      let reached = Promise.withResolvers<void>()
      log.disk = ({ approval }) => {
        if (approval?.by !== 'bob') return Promise.resolve()
        reached.resolve()
        return new Promise((_resolve, reject) => (fails = reject))
      }
      const ruled = here.rule(id, bob, approve).catch((error: unknown) => error)
      await reached.promise
      expect((await there.claim(question())).state).toBe('pending')
      await expect(there.rule(id, carol, approve)).rejects.toMatchObject({ code: 'approval.over' })
      fails(new Error('the disk of this replica is full'))
      expect(await ruled).toBeInstanceOf(Error)
      expect((await there.claim(question())).state).toBe('pending')
      expect(await there.find(id)).toMatchObject({ status: 'pending', rulings: [] })
      expect((await there.rule(id, carol, approve)).status).toBe('approved')
      // One of two is on record: the other one is still needed, whoever came first.
      reached = Promise.withResolvers<void>()
      const first = here.rule(both, bob, approve).catch((error: unknown) => error)
      await reached.promise
      await there.rule(both, carol, approve)
      expect((await there.claim(bothCalls)).state).toBe('pending')
      fails(new Error('the disk of this replica is full'))
      await first
      expect(await there.find(both)).toMatchObject({ status: 'pending', rulings: [{ by: 'carol' }] })
    })

    test('comes too late when its time is over', async () => {
      const approvals = await open()
      const { id } = await approvals.ask(factsOf())
      clock.advance(3_600_000)
      await expect(approvals.rule(id, bob, approve)).rejects.toMatchObject({ code: 'approval.over' })
      expect((await approvals.find(id))?.status).toBe('expired')
    })

    test.each([
      ['other arguments', { args: { to: 'somebody else' } }],
      ['another tool', { tool: 'office__wire' }],
      ['a tool that is defined otherwise by now', { toolDigest: 'd2' }],
      ['another session', { session: 'ses_2' }],
      ['another principal', { principal: 'bob' }],
      ['another application', { consumer: 'shop' }],
      ['other terms', { terms: [terms({ count: 2 })] }],
    ] as const)('is for one call: not for %s', async (_what, over) => {
      const approvals = await open()
      const { id } = await approvals.ask(factsOf())
      await approvals.rule(id, bob, approve)
      expect((await approvals.claim(question(over as Partial<ApprovalFacts>))).state).toBe('none')
      expect((await approvals.claim(question())).state).toBe('approved')
    })

    test('is used once, of many that come at the same moment, and not after its time', async () => {
      const all = [await open(), await open(), await open()]
      const [first] = all as [Approvals]
      const { id } = await first.ask(factsOf())
      await first.rule(id, bob, approve)
      const known = await Promise.all(all.flatMap((one, at) => [1, 2].map((n) => one.claim(question({}, { callKey: `tc_${at}${n}` })))))
      expect(known.filter(({ state }) => state === 'approved')).toHaveLength(1)
      const late = await first.ask(factsOf({ args: { late: true } }))
      await first.rule(late.id, bob, approve)
      clock.advance(3_600_000)
      expect((await first.claim(question({ args: { late: true } }))).state).toBe('none')
    })

    test('given back it may be used again; a call that goes on may do so once, and only that call', async () => {
      const approvals = await open()
      const { id } = await approvals.ask(factsOf())
      await approvals.rule(id, bob, approve)
      const known = await approvals.claim(question())
      if (known.state === 'approved') await known.claim.giveBack()
      expect((await approvals.claim(question({}, { step: 'used' }))).state).toBe('approved')
      expect((await approvals.claim(question({}, { callKey: 'tc_other' }))).state).toBe('none')
      expect((await approvals.claim(question({}, { isSame: () => false }))).state).toBe('none')
      expect((await approvals.claim(question())).state).toBe('approved')
      expect((await approvals.claim(question())).state).toBe('none')
      const [approval] = [await approvals.find(id)]
      if (approval !== undefined) await approvals.letGoOn(approval)
      expect((await approvals.claim(question())).state).toBe('approved')
      expect((await approvals.claim(question())).state).toBe('none')
    })

    test('is asked for within bounds, and the store holds nothing of the call that can be read', async () => {
      const approvals = await open({ approvals: { max_pending: { principal: 2, session: 1 }, max_bytes: 1024 } })
      await approvals.ask(factsOf())
      await expect(approvals.ask(factsOf({ args: { more: 1 } }))).rejects.toMatchObject({ code: 'approval.too_many' })
      await expect(approvals.ask(factsOf({ session: 'ses_2', args: { text: 'x'.repeat(1024) } }))).rejects.toMatchObject({
        code: 'approval.too_large',
      })
      const rows = await (await stores.open()).approvals.list({ most: 10 })
      expect(JSON.stringify(rows)).not.toMatch(new RegExp(`${secretWords}|alice|office__pay|ses_1`))
      // One row in the place of another opens nothing.
      const [row] = rows
      const { approvals: table } = await stores.open()
      if (row !== undefined) await table.ask({ ...row, id: 'ap_other', match: 'x', owner: 'y' }, { principal: 9, session: 9 })
      expect(await approvals.find('ap_other')).toBeUndefined()
    })
  })
})
