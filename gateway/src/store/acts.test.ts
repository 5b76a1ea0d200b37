import { afterAll, beforeAll, describe, expect, test } from 'vitest'
import type { NotedAct } from './acts.ts'
import { storeBackends, type TestStores } from './backends.fixture.ts'
import type { Store } from './store.ts'

const at = 1_800_000_000_000
const act = (id: string, time = at): NotedAct => ({ id, time, by: 'ops', act: 'keys.revoke', subject: 'keys of alice', reason: 'Revokes.' })

describe.each(storeBackends)('on $name', ({ isMissing, make }) => {
  let stores: TestStores
  let store: Store
  beforeAll(async () => {
    if (isMissing) return
    stores = await make()
    store = await stores.open()
  })
  afterAll(() => stores?.[Symbol.asyncDispose]())

  test.skipIf(isMissing)('what was done with the command line waits, oldest first, until it is on record', async () => {
    await store.acts.note(act('b', at + 1))
    await store.acts.note(act('a'))
    await store.acts.note(act('a'))
    expect(await store.acts.unrecorded()).toEqual([act('a'), act('b', at + 1)])
    expect(await store.acts.count()).toBe(2)
    await store.acts.forget('b')
    expect(await store.acts.unrecorded()).toEqual([act('a')])
  })

  test.skipIf(isMissing)('one process records it; another one where that has ended, or could not', async () => {
    const { acts: other } = await stores.open()
    const claimed = await Promise.all([store.acts.claim('a', at), other.claim('a', at)])
    expect(claimed.toSorted()).toEqual([false, true])
    expect(await other.claim('a', at + 59_000)).toBe(false)
    expect(await other.claim('a', at + 60_000)).toBe(true)
    await other.unclaim('a')
    expect(await store.acts.claim('a', at + 60_000)).toBe(true)
    await store.acts.forget('a')
    expect([await store.acts.claim('a', at + 600_000), await store.acts.count()]).toEqual([false, 0])
  })
})
