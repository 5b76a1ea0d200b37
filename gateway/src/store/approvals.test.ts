import { afterEach, beforeEach, describe, expect, test } from 'vitest'
import type { StoredApproval } from './approvals.ts'
import { storeBackends, type TestStores } from './backends.fixture.ts'

const most = { principal: 3, session: 2 }

function approval(id: string, over: Partial<StoredApproval> = {}): StoredApproval {
  return {
    id,
    match: `call of ${id}`,
    owner: 'alice',
    session: 's1',
    facts: 'sealed',
    rulings: null,
    status: 'pending',
    usedBy: null,
    version: 0,
    created: 1000,
    expires: 5000,
    ...over,
  }
}

describe.each(storeBackends)('approvals on $name', ({ isMissing, make }) => {
  describe.skipIf(isMissing)('the table', () => {
    let stores: TestStores
    beforeEach(async () => {
      stores = await make()
    })
    afterEach(async () => {
      await stores[Symbol.asyncDispose]()
    })

    test('asks about a call once, whichever process asks, and again when nobody ruled in time', async () => {
      const [{ approvals }, { approvals: others }] = [await stores.open(), await stores.open()]
      const asked = await Promise.all([approvals.ask(approval('a', { match: 'm' }), most), others.ask(approval('b', { match: 'm' }), most)])
      expect(asked[0]).toEqual(asked[1])
      expect(await others.ofCall('m', 2000)).toEqual(asked[0])
      expect(await others.ofCall('m', 5000)).toBeUndefined()
      expect((await others.ask(approval('c', { match: 'm', created: 5000, expires: 9000 }), most))?.id).toBe('c')
    })

    test('lets so many wait of a principal, and of a session', async () => {
      const { approvals } = await stores.open()
      const asked = []
      for (const [id, session] of [
        ['a', 's1'],
        ['b', 's1'],
        ['c', 's1'],
        ['d', 's2'],
        ['e', 's2'],
      ] as const)
        asked.push((await approvals.ask(approval(id, { session }), most))?.id)
      expect(asked).toEqual(['a', 'b', undefined, 'd', undefined])
      expect((await approvals.ask(approval('f', { owner: 'bob' }), most))?.id).toBe('f')
      await approvals.change(approval('a'), { status: 'denied' })
      expect((await approvals.ask(approval('g'), most))?.id).toBe('g')
    })

    test('changes what is still as it was read, and nothing else', async () => {
      const [{ approvals }, { approvals: others }] = [await stores.open(), await stores.open()]
      await approvals.ask(approval('a'), most)
      const changed = await Promise.all([
        approvals.change(approval('a'), { status: 'approved', rulings: 'one' }),
        others.change(approval('a'), { status: 'denied', rulings: 'other' }),
      ])
      expect(changed.filter(Boolean)).toHaveLength(1)
      const now = await others.find('a')
      expect(now).toMatchObject({ status: changed[0] ? 'approved' : 'denied', rulings: changed[0] ? 'one' : 'other', version: 1 })
      expect(await approvals.change(approval('a'), { status: 'used' })).toBe(false)
      expect(await approvals.change({ id: 'a', version: 1 }, { status: 'used', usedBy: 'call' })).toBe(true)
      expect((await others.usedBy('call'))?.id).toBe('a')
      await approvals.change({ id: 'a', version: 2 }, { status: 'run' })
      expect(await others.usedBy('call')).toBeUndefined()
    })

    test('lists the newest first in pages, says what is due, and forgets what is over', async () => {
      const { approvals } = await stores.open()
      for (const [at, id] of ['a', 'b', 'c'].entries())
        await approvals.ask(approval(id, { owner: id, created: 1000 + Math.floor(at / 2) }), most)
      const [first] = await approvals.list({ status: 'pending', most: 1 })
      expect(first?.id).toBe('c')
      expect((await approvals.list({ before: first, most: 5 })).map(({ id }) => id)).toEqual(['b', 'a'])
      await approvals.change(approval('b'), { status: 'denied' })
      expect((await approvals.list({ status: 'pending', most: 5 })).map(({ id }) => id)).toEqual(['c', 'a'])
      expect((await approvals.due(5000, 10)).map(({ id }) => id).sort()).toEqual(['a', 'c'])
      expect(await approvals.due(4999, 10)).toEqual([])
      await approvals.purge(4999)
      expect(await approvals.find('b')).toBeDefined()
      await approvals.purge(5000)
      expect(await approvals.list({ most: 5 })).toEqual([])
    })
  })
})
