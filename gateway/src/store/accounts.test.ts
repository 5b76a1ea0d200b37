import { afterAll, beforeAll, describe, expect, test } from 'vitest'
import type { AccountSecrets } from './accounts.ts'
import { storeBackends, type TestStores } from './backends.fixture.ts'
import type { NewPerson } from './people.ts'
import type { Store } from './store.ts'

const secrets = (parts: Partial<AccountSecrets> = {}): AccountSecrets => ({
  password: 'hash',
  totp: 'sealed',
  totpStep: 5,
  recovery: ['a', 'b'],
  ...parts,
})
const admin = (id: string): NewPerson => ({
  id,
  issuer: null,
  subject: null,
  kind: 'human',
  name: null,
  emails: [],
  active: true,
  roles: ['admin'],
  created: 1,
  seen: null,
})
const link = (hash: string, person: string | undefined, expires = 100) => ({ hash, person, expires })

describe.each(storeBackends)('on $name', ({ isMissing, make }) => {
  let stores: TestStores
  let store: Store
  let other: Store
  beforeAll(async () => {
    if (isMissing) return
    stores = await make()
    store = await stores.open()
    other = await stores.open()
  })
  afterAll(() => stores?.[Symbol.asyncDispose]())

  describe.skipIf(isMissing)('local accounts', () => {
    test('are added once, whatever the case of the name, and found in any', async () => {
      expect(await store.accounts.add('Ada', 3)).toBe(true)
      expect(await other.accounts.add('ada', 4)).toBe(false)
      expect(await other.accounts.find('ADA')).toEqual({
        person: 'Ada',
        password: null,
        totp: null,
        totpStep: 0,
        recovery: [],
        created: 3,
        changed: 3,
      })
      expect(await store.accounts.find('nobody')).toBeUndefined()
    })

    test('are signed in with what was set last', async () => {
      await store.accounts.add('bob', 1)
      expect(await store.accounts.set('bob', secrets(), 9)).toBe(true)
      expect(await other.accounts.find('bob')).toMatchObject({ ...secrets(), created: 1, changed: 9 })
      expect(await store.accounts.set('nobody', secrets(), 9)).toBe(false)
    })

    test('take each time step once and none before it, whichever replica is asked', async () => {
      await store.accounts.add('cleo', 1)
      await store.accounts.set('cleo', secrets({ totpStep: 10 }), 1)
      const used = await Promise.all([store.accounts.useStep('cleo', 11), other.accounts.useStep('cleo', 11)])
      expect(used.toSorted()).toEqual([false, true])
      expect(await store.accounts.useStep('cleo', 10)).toBe(false)
      expect(await store.accounts.useStep('cleo', 12)).toBe(true)
    })

    test('take each recovery code once, whichever replica is asked', async () => {
      await store.accounts.add('dora', 1)
      await store.accounts.set('dora', secrets({ recovery: ['x', 'y'] }), 1)
      const used = await Promise.all([store.accounts.useRecovery('dora', 'x'), other.accounts.useRecovery('dora', 'x')])
      expect(used.toSorted()).toEqual([false, true])
      expect(await store.accounts.useRecovery('dora', 'z')).toBe(false)
      expect((await store.accounts.find('dora'))?.recovery).toEqual(['y'])
    })

    test('are set by a link once, which uses the other links of the account up', async () => {
      await store.accounts.add('eve', 1)
      await store.accounts.addLink(link('eve1', 'eve'), 1)
      await store.accounts.addLink(link('eve2', 'eve'), 1)
      expect(await other.accounts.findLink('eve1', 99)).toEqual(link('eve1', 'eve'))
      expect(await other.accounts.findLink('eve1', 100)).toBeUndefined()
      const used = await Promise.all([
        store.accounts.useLink(link('eve1', 'eve'), secrets({ password: 'one' }), 50),
        other.accounts.useLink(link('eve2', 'eve'), secrets({ password: 'two' }), 50),
      ])
      expect(used.toSorted()).toEqual([false, true])
      expect((await store.accounts.find('eve'))?.password).toBe(used[0] ? 'one' : 'two')
      expect(await store.accounts.findLink('eve1', 50)).toBeUndefined()
    })

    test('are not set by a link that has expired, or is of somebody else', async () => {
      await store.accounts.add('fred', 1)
      await store.accounts.addLink(link('fred1', 'fred', 20), 1)
      expect(await store.accounts.useLink(link('fred1', 'fred'), secrets(), 20)).toBe(false)
      expect(await store.accounts.useLink(link('fred1', 'bob'), secrets(), 10)).toBe(false)
      expect(await store.accounts.useLink(link('other', 'fred'), secrets(), 10)).toBe(false)
      expect((await store.accounts.find('fred'))?.password).toBeNull()
    })

    test('go with their links', async () => {
      await store.accounts.add('gina', 1)
      await store.accounts.addLink(link('gina1', 'gina'), 1)
      expect(await store.accounts.remove('gina')).toBe(true)
      expect(await store.accounts.remove('gina')).toBe(false)
      expect(await store.accounts.findLink('gina1', 1)).toBeUndefined()
    })

    test('begin with one administrator, whoever uses a link first', async () => {
      expect(await store.accounts.hasAdmin()).toBe(false)
      await store.accounts.addLink(link('first', undefined), 1)
      await store.accounts.addLink(link('second', undefined), 1)
      await store.people.add({ ...admin('of-acme'), issuer: 'acme', roles: [] }, 1)
      await expect(store.accounts.useFirstLink(link('first', undefined), admin('of-acme'), secrets(), 5)).rejects.toThrow(
        'somebody has this name',
      )
      await store.accounts.add('taken', 1)
      await expect(store.accounts.useFirstLink(link('first', undefined), admin('taken'), secrets(), 5)).rejects.toThrow(
        'somebody has this name',
      )
      const used = await Promise.all([
        store.accounts.useFirstLink(link('first', undefined), admin('root1'), secrets(), 5),
        other.accounts.useFirstLink(link('second', undefined), admin('root2'), secrets(), 5),
      ])
      expect(used.toSorted()).toEqual([false, true])
      const made = used[0] ? 'root1' : 'root2'
      expect(await other.accounts.hasAdmin()).toBe(true)
      expect(await other.people.find(made)).toMatchObject({ roles: ['admin'], active: true, issuer: null })
      expect(await other.accounts.find(made)).toMatchObject(secrets())
      expect(await store.accounts.find(made === 'root1' ? 'root2' : 'root1')).toBeUndefined()
      await store.accounts.addLink(link('third', undefined), 1)
      expect(await store.accounts.useFirstLink(link('third', undefined), admin('root3'), secrets(), 5)).toBe(false)
      await store.people.setActive(made, false, 9)
      expect(await store.accounts.hasAdmin()).toBe(false)
    })
  })
})
