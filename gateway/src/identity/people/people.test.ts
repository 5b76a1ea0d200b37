import { afterAll, beforeAll, beforeEach, describe, expect, test } from 'vitest'
import type { Snapshot } from '../../config/snapshot.ts'
import { silentLogger } from '../../core/logger.ts'
import type { Principal } from '../../core/principal.ts'
import { storeBackends, type TestStores } from '../../store/backends.fixture.ts'
import type { Store } from '../../store/store.ts'
import { principal, snapshotWith, testClock, type TestClock } from '../identity-parts.fixture.ts'
import { LiveCalls } from '../live-calls.ts'
import { openRevocations, type Revocations } from '../revocations.ts'
import { createPeople, type NamedPerson, type People } from './people.ts'
import { RememberedPeople } from './remembered-people.ts'

const acme = { acme: {} } as unknown as Snapshot['identity']['issuers']
const both = { acme: {}, other: {} } as unknown as Snapshot['identity']['issuers']
const identity = (issuers: Snapshot['identity']['issuers'], roles = {}) => ({ issuers, roles, scim: {} }) as unknown as Snapshot['identity']

function snapshot(principals: readonly Principal[] = [], issuers = acme, parts: Partial<Snapshot> = {}): Snapshot {
  const byId = new Map(principals.map((one) => [one.id, one]))
  return snapshotWith({ principals: byId, identity: identity(issuers), revision: [...byId.keys()].join(), ...parts })
}

const named = (user: string, parts: Partial<NamedPerson> = {}): NamedPerson => ({
  issuer: 'acme',
  subject: `sub of ${user}`,
  user,
  emails: [],
  groups: [],
  kind: 'human',
  provision: 'auto',
  ...parts,
})

/** What one process has. */
async function processAt(store: Store, clock: TestClock) {
  const counts = { reads: 0, writes: 0 }
  const counted =
    <A extends unknown[], R>(what: keyof typeof counts, work: (...args: A) => R) =>
    (...args: A): R => ((counts[what] += 1), work(...args))
  const table = store.people
  const people: Store['people'] = {
    ...table,
    find: counted('reads', table.find),
    add: counted('writes', table.add),
    change: counted('writes', table.change),
    see: counted('writes', table.see),
    setGroups: counted('writes', table.setGroups),
  }
  const remembered = new RememberedPeople({ people }, clock)
  const live = new LiveCalls()
  const revocations = await openRevocations({ store, live, people: remembered, clock, logger: silentLogger })
  return { people: createPeople({ store: { people }, remembered, clock, logger: silentLogger }), revocations, live, counts }
}

describe.each(storeBackends)('on $name', ({ isMissing, make }) => {
  describe.skipIf(isMissing)('people', () => {
    let stores: TestStores
    let store: Store
    let clock: TestClock
    let people: People
    let revocations: Revocations
    let live: LiveCalls
    let counts: { reads: number; writes: number }
    let here = 0
    beforeAll(async () => {
      stores = await make()
      store = await stores.open()
    })
    beforeEach(async () => {
      // Later than whatever a test before has written.
      clock = testClock(1_700_000_000_000 + (here += 1_000_000))
      ;({ people, revocations, live, counts } = await processAt(store, clock))
    })
    afterAll(() => stores?.[Symbol.asyncDispose]())

    const groupsIn = async (id: string) => (await store.people.find(id))?.groups.map(({ origin, group }) => `${origin} ${group}`)

    test('come into being when an issuer names them, in any case of their address, with the groups that it names', async () => {
      const ada = await people.principalOf(named('Ada@acme.example', { groups: ['staff'], emails: ['ada@acme.example'] }), snapshot())
      expect(ada).toEqual({
        id: 'ada@acme.example',
        kind: 'human',
        issuer: 'acme',
        groups: ['staff'],
        emails: ['ada@acme.example'],
        credentials: new Map(),
      })
      expect(await store.people.find('ada@acme.example')).toMatchObject({ issuer: 'acme', active: true, seen: clock.now() })
      expect(await groupsIn('ada@acme.example')).toEqual(['claims:acme staff'])
    })

    test('of an issuer that may only name known ones are refused until somebody knows them', async () => {
      const who = named('eve1', { provision: 'known' })
      await expect(Promise.resolve(people.principalOf(who, snapshot()))).rejects.toMatchObject({ code: 'auth.unknown_person' })
      expect(await store.people.find('eve1')).toBeUndefined()
      expect(await people.principalOf(who, snapshot([principal('eve1')]))).toMatchObject({ id: 'eve1' })
    })

    test('are in the groups of this token and of all other origins, not in those an earlier token named', async () => {
      await people.principalOf(named('bob2', { groups: ['old'] }), snapshot())
      await store.people.addMembers('scim:okta', 'sales', ['bob2'], clock.now())
      await revocations.look()
      const declared = snapshot([principal('bob2', { groups: ['file'] })])
      const now = await people.principalOf(named('bob2', { groups: ['new'] }), declared)
      expect(now.groups).toEqual(['file', 'new', 'sales'])
      // A key of the same person has what everybody has said.
      expect((await people.principal('bob2', declared)).groups).toEqual(['file', 'old', 'sales'])
    })

    test('are asked of the store once as long as nothing changes, and are the same object', async () => {
      const who = named('cid3', { groups: ['staff'] })
      const first = await people.principalOf(who, snapshot())
      counts.reads = 0
      counts.writes = 0
      for (let second = 0; second < 5; second += 1) {
        clock.advance(1000)
        await revocations.look()
        expect(people.principalOf(who, snapshot())).toBe(first)
      }
      expect(counts).toEqual({ reads: 0, writes: 0 })
    })

    test('are read again on every call when nobody looks for changes any more', async () => {
      const who = named('dan4')
      await people.principalOf(who, snapshot())
      clock.advance(2001)
      expect(people.principalOf(who, snapshot())).toBeInstanceOf(Promise)
    })

    test('are noted as seen once an hour, and groups only when they are others', async () => {
      const who = named('ema5', { groups: ['a', 'b'] })
      await people.principalOf(who, snapshot())
      counts.writes = 0
      const call = async (groups: readonly string[], after: number) => {
        clock.advance(after)
        await revocations.look()
        await people.principalOf({ ...who, groups }, snapshot())
      }
      await call(['b', 'a'], 3_599_000)
      expect(counts.writes).toBe(0)
      await call(['a', 'b'], 1000)
      await expect.poll(async () => (await store.people.find('ema5'))?.seen).toBe(clock.now())
      await call(['c'], 60_000)
      await expect.poll(() => groupsIn('ema5')).toEqual(['claims:acme c'])
    })

    test('of one issuer are never taken for those of another, nor for principals another one speaks for', async () => {
      const refused = expect.objectContaining({ code: 'auth.other_issuer' })
      const of = async (who: NamedPerson, at: Snapshot) => people.principalOf(who, at)
      await of(named('fay6'), snapshot())
      await expect(of(named('fay6', { issuer: 'other' }), snapshot([], both))).rejects.toEqual(refused)
      // A principal of the file that names no issuer is nobody's where there are two.
      const unsaid = principal('gus6', { emails: ['gus@acme.example'] })
      await expect(of(named('gus6'), snapshot([unsaid], both))).rejects.toEqual(refused)
      await expect(of(named('GUS@acme.example'), snapshot([unsaid], both))).rejects.toEqual(refused)
      const said = snapshot([{ ...unsaid, issuer: 'acme' }], both)
      await expect(of(named('gus6', { issuer: 'other' }), said)).rejects.toEqual(refused)
      expect(await of(named('GUS@acme.example'), said)).toMatchObject({ id: 'gus6' })
      expect(await store.people.find('gus@acme.example')).toBeUndefined()
    })

    test('that were shut out elsewhere are refused after the next look, by token and by key, and are let in again', async () => {
      const other = await stores.open()
      const who = named('hal7')
      await people.principalOf(who, snapshot())
      await other.people.setActive('hal7', false, clock.now())
      await revocations.look()
      await expect((async () => people.principalOf(who, snapshot()))()).rejects.toMatchObject({ code: 'auth.disabled', status: 403 })
      await expect((async () => people.principal('hal7', snapshot([principal('hal7')])))()).rejects.toMatchObject({ code: 'auth.disabled' })
      await other.people.setActive('hal7', true, clock.now())
      await revocations.look()
      expect(await people.principalOf(who, snapshot())).toMatchObject({ id: 'hal7' })
    })

    test('that were shut out have what is under way cut, at once where it is revoked, and again for what began meanwhile', async () => {
      const cut: string[] = []
      const call = (name: string) => ({ cancel: ({ code }: { code: string }) => void cut.push(`${name} ${code}`) })
      const caller = await people.principalOf(named('ida8'), snapshot())
      const leave = live.enter({ principal: caller, key: 'k', actors: [] }, call('left'))
      leave()
      live.enter({ principal: caller, key: 'k', actors: [] }, call('first'))
      live.enter({ principal: { ...caller, id: 'somebody' }, key: 'k', actors: [] }, call('other'))
      await store.people.setActive('ida8', false, clock.now())
      await revocations.look()
      expect(cut).toEqual(['first auth.disabled'])
      live.enter({ principal: caller, key: 'k2', actors: [] }, call('late'))
      await revocations.look()
      expect(cut).toHaveLength(1)
      clock.advance(2000)
      await revocations.look()
      expect(cut.slice(1)).toEqual(['first auth.disabled', 'late auth.disabled'])
      expect(revocations.revokedAt('person', 'ida8')).toBeGreaterThan(0)
    })

    test('whose key or token is revoked have what came with it cut, and a process that starts knows of it', async () => {
      const cut: string[] = []
      const caller = await people.principalOf(named('jon9'), snapshot())
      live.enter({ principal: caller, key: 'tok_1', actors: [] }, { cancel: ({ code }) => void cut.push(code) })
      live.enter({ principal: caller, key: 'tok_2', actors: [] }, { cancel: () => void cut.push('another') })
      const other = await processAt(store, clock)
      await other.revocations.revoke('token', 'tok_1', clock.now() + 60_000)
      expect(other.revocations.revokedAt('token', 'tok_1')).toBe(clock.now())
      await revocations.look()
      expect(cut).toEqual(['auth.revoked_key'])
      const late = await processAt(store, clock)
      expect([late.revocations.revokedAt('token', 'tok_1'), late.revocations.revokedAt('token', 'tok_2')]).toEqual([clock.now(), undefined])
    })

    test('have the roles that the file gives to them or their groups, those of the store, and what these include', async () => {
      const roles = { policy_author: { people: [], groups: ['policy'] }, auditor: { people: ['kim10'], groups: [] } }
      const at = snapshot([], acme, { identity: identity(acme, roles) })
      await people.principalOf(named('kim10'), at)
      await people.principalOf(named('lou10', { groups: ['policy'] }), at)
      expect([await people.roles('kim10', at), await people.roles('lou10', at)]).toEqual([
        ['viewer', 'auditor'],
        ['viewer', 'policy_author'],
      ])
      await store.people.change('lou10', { roles: ['admin'] }, clock.now())
      await revocations.look()
      expect(await people.roles('lou10', at)).toEqual(['viewer', 'operator', 'policy_author', 'admin'])
    })
  })
})
