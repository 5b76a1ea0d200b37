import { afterAll, beforeAll, describe, expect, test } from 'vitest'
import { storeBackends, type TestStores } from './backends.fixture.ts'
import type { NewPerson } from './people.ts'
import type { Store } from './store.ts'

const person = (id: string, parts: Partial<NewPerson> = {}): NewPerson => ({
  id,
  issuer: 'acme',
  subject: `subject of ${id}`,
  kind: 'human',
  name: null,
  emails: [id],
  active: true,
  roles: [],
  created: 1,
  seen: null,
  ...parts,
})

describe.each(storeBackends)('on $name', ({ isMissing, make }) => {
  // One for all of them: what each of them looks at is its own.
  let stores: TestStores
  let store: Store
  beforeAll(async () => {
    if (isMissing) return
    stores = await make()
    store = await stores.open()
  })
  afterAll(() => stores?.[Symbol.asyncDispose]())

  describe.skipIf(isMissing)('people', () => {
    const groupsOf = async (id: string) => (await store.people.find(id))?.groups.map(({ origin, group }) => `${origin} ${group}`)

    test('are found as they were added, once', async () => {
      const ada = person('ada1', { name: 'Ada', roles: ['viewer'], seen: 7, kind: 'workload' })
      const other = await stores.open()
      const added = await Promise.all([store.people.add(ada, 5), other.people.add(ada, 5)])
      expect(added.toSorted()).toEqual([false, true])
      expect(await other.people.find('ada1')).toEqual({ ...ada, groups: [], changed: expect.any(Number) })
      expect(await store.people.find('nobody')).toBeUndefined()
    })

    test('keep the groups of other origins when one origin takes its own away', async () => {
      await store.people.add(person('ada2'), 1)
      await store.people.setGroups('ada2', 'claims:acme', ['sales', 'staff'], 2)
      await store.people.setGroups('ada2', 'scim:okta', ['sales'], 3)
      await store.people.setGroups('ada2', 'claims:acme', ['staff'], 4)
      expect(await groupsOf('ada2')).toEqual(['claims:acme staff', 'scim:okta sales'])
      await store.people.setGroups('ada2', 'claims:acme', [], 5)
      expect(await groupsOf('ada2')).toEqual(['scim:okta sales'])
    })

    test('are put into groups and taken out by many at once, and a group that is renamed keeps them', async () => {
      const ids = Array.from({ length: 700 }, (_, index) => `p${String(index).padStart(4, '0')}`)
      for (const id of ids.slice(0, 3)) await store.people.add(person(id), 1)
      await store.people.addMembers('scim:okta', 'all', ids, 2)
      await store.people.addMembers('scim:okta', 'all', ids.slice(0, 2), 2)
      expect(await store.people.members('scim:okta', 'all')).toEqual(ids)
      await store.people.removeMembers('scim:okta', 'all', ids.slice(3), 3)
      await store.people.renameGroup('scim:okta', 'all', 'everybody', 4)
      expect([await store.people.members('scim:okta', 'all'), await store.people.members('scim:okta', 'everybody')]).toEqual([
        [],
        ids.slice(0, 3),
      ])
      await store.people.removeMembers('scim:okta', 'everybody', 'all', 5)
      expect(await groupsOf('p0000')).toEqual([])
    })

    test('that were changed are told in the order of the changes, also where a clock goes back; being seen is no change', async () => {
      await store.people.add(person('ada4'), 1000)
      await store.people.add(person('bob4'), 50)
      expect(await store.people.changedAfter({ changed: 1000, id: '' }, 10)).toEqual([
        { id: 'ada4', changed: 1000 },
        { id: 'bob4', changed: 1001 },
      ])
      await store.people.see('bob4', 500)
      await store.people.setGroups('ada4', 'scim:okta', ['staff'], 60)
      // What changes nothing is no change.
      await store.people.setGroups('bob4', 'scim:okta', [], 60)
      expect(await store.people.changedAfter({ changed: 1001, id: 'bob4' }, 10)).toEqual([{ id: 'ada4', changed: 1002 }])
      await store.people.addMembers('scim:okta', 'staff', ['bob4'], 60)
      expect(await store.people.changedAfter({ changed: 1002, id: 'ada4' }, 10)).toEqual([{ id: 'bob4', changed: 1003 }])
      expect([await store.people.lastChange(), (await store.people.find('bob4'))?.seen]).toEqual([1003, 500])
    })

    test('are changed field by field', async () => {
      await store.people.add(person('ada5'), 1)
      expect(await store.people.change('ada5', { roles: ['admin'], emails: ['a@x', 'b@x'], name: 'Ada' }, 2)).toBe(true)
      expect(await store.people.find('ada5')).toEqual({
        ...person('ada5', { roles: ['admin'], emails: ['a@x', 'b@x'], name: 'Ada' }),
        groups: [],
        changed: expect.any(Number),
      })
      expect(await store.people.change('nobody', { name: 'N' }, 2)).toBe(false)
    })

    test('that are shut out are revoked in the same step; letting them in again revokes nothing', async () => {
      await store.people.add(person('ada6'), 1)
      expect(await store.people.setActive('ada6', false, 10)).toBe(true)
      expect([
        (await store.people.find('ada6'))?.active,
        (await store.revocations.since(0, 10)).map(({ kind, id, at }) => [kind, id, at]),
      ]).toEqual([false, [['person', 'ada6', 10]]])
      await store.people.setActive('ada6', true, 20)
      expect([(await store.people.find('ada6'))?.active, await store.revocations.since(10, 20)]).toEqual([true, []])
      expect(await store.people.setActive('nobody', false, 30)).toBe(false)
      expect(await store.revocations.since(10, 30)).toEqual([])
    })

    test('are listed by their ids, page by page', async () => {
      for (const id of ['z3', 'z1', 'z2']) await store.people.add(person(id), 1)
      const first = await store.people.list('z', 2)
      expect([first.map(({ id }) => id), (await store.people.list('z2', 2)).map(({ id }) => id)]).toEqual([['z1', 'z2'], ['z3']])
    })
  })

  describe.skipIf(isMissing)('revocations', () => {
    test('are found by those that look since, in their order, also where the clock of who revoked goes back', async () => {
      const other = await stores.open()
      expect(await store.revocations.add({ kind: 'token', id: 't', at: 1000, until: 9000 })).toBe(1000)
      expect(await other.revocations.add({ kind: 'key', id: 't', at: 50, until: 9000 })).toBe(1001)
      expect(await other.revocations.since(1000, 2000)).toEqual([{ kind: 'key', id: 't', at: 1001, until: 9000 }])
    })

    test('of the same thing are one, the last, that matters as long as either would', async () => {
      await store.revocations.add({ kind: 'session', id: 's', at: 2000, until: 9000 })
      await store.revocations.add({ kind: 'session', id: 's', at: 3000, until: 4000 })
      expect(await store.revocations.since(1999, 3500)).toEqual([{ kind: 'session', id: 's', at: 3000, until: 9000 }])
    })

    test('that do not matter any more are not told, and forgotten when they are swept', async () => {
      await store.revocations.add({ kind: 'session', id: 'old', at: 5000, until: 6000 })
      expect(await store.revocations.since(4999, 6000)).toEqual([])
      await store.revocations.sweep(5999)
      expect(await store.revocations.since(4999, 0)).toHaveLength(1)
      await store.revocations.sweep(6000)
      expect(await store.revocations.since(4999, 0)).toEqual([])
    })
  })
})
