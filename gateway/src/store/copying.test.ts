import { afterEach, beforeEach, describe, expect, test } from 'vitest'
import { storeBackends, testSecrets, type TestStores } from './backends.fixture.ts'
import { copyStore } from './copying.ts'
import type { StoredKey } from './keys.ts'
import { hashSecretName, openPostgresStore, type PostgresStore } from './postgres/postgres-store.ts'

const [sqlite, postgres] = storeBackends

const nobody = { accounts: 0, directories: 0, stops: 0 }

function key(id: string, parts: Partial<StoredKey> = {}): StoredKey {
  return {
    id,
    hash: `hash of ${id}`,
    prefix: 'tw_a',
    principal: 'alice',
    consumer: null,
    actor: null,
    credentials: new Map([['u', 'c']]),
    created: 1,
    expires: null,
    revoked: null,
    scopes: null,
    within: null,
    previous: null,
    lastUsed: null,
    ...parts,
  }
}

describe.skipIf(postgres?.isMissing !== false)('an embedded store is moved to PostgreSQL', () => {
  let from: TestStores
  let to: TestStores

  beforeEach(async () => {
    if (sqlite === undefined || postgres === undefined) throw new Error('a backend is missing')
    from = await sqlite.make()
    to = await postgres.make()
  })
  afterEach(async () => {
    await from[Symbol.asyncDispose]()
    await to[Symbol.asyncDispose]()
  })

  /** The database as an installation with this secret has it. */
  async function target(secret: Buffer): Promise<PostgresStore> {
    if (to.place.kind !== 'postgres') throw new Error('not a PostgreSQL')
    return openPostgresStore({ ...to.place, secrets: testSecrets, adopt: new Map([[hashSecretName, secret]]) })
  }

  test('with everything that the command line has done and no gateway has put on record yet', async () => {
    const source = await from.open()
    const done = { by: 'ops', act: 'keys.revoke', subject: 'keys of alice', reason: 'Revokes.' }
    for (let time = 0; time < 250; time += 1) await source.acts.note({ id: `dec_${time}`, time, ...done })
    const store = await target(source.secret)
    try {
      for (let again = 0; again < 2; again += 1) await copyStore(source, store)
      expect(await store.acts.count()).toBe(250)
      expect((await store.acts.unrecorded(250)).map(({ id }) => id)).toEqual(Array.from({ length: 250 }, (_, time) => `dec_${time}`))
    } finally {
      await store.close()
    }
  })

  test('with the labels of what tools keep, as long as the longer of both remembers them', async () => {
    const source = await from.open()
    const written = { place: 'p', whole: 'w', label: 'low', now: 1, expires: 100 }
    const marks = Array.from({ length: 1200 }, (_, index) => `m${index}`)
    await source.remembered.add({ ...written, marks })
    const store = await target(source.secret)
    try {
      await store.remembered.add({ ...written, marks: ['m7', 'there'], expires: 200 })
      for (let again = 0; again < 2; again += 1) await copyStore(source, store)
      expect(await store.remembered.page(undefined, 5000)).toHaveLength(1201)
      expect(await store.remembered.labels('p', ['m1199'], 99)).toEqual(['low'])
      expect(await store.remembered.labels('p', ['m7'], 199)).toEqual(['low'])
    } finally {
      await store.close()
    }
  })

  test('with what is stopped, which was recorded where it was stopped, and stays lifted where it was lifted', async () => {
    const source = await from.open()
    const stop = { kind: 'tool', name: 'mail__*', reason: 'it mails strangers', by: 'ops', made: 1_800_000_000_000 } as const
    await source.stops.add({ ...stop, id: 'standing', until: null })
    await source.stops.add({ ...stop, id: 'for a while', until: stop.made + 1000 })
    await source.stops.add({ ...stop, id: 'lifted', until: null })
    await source.stops.lift('lifted', 'ops', stop.made + 1)
    const store = await target(source.secret)
    try {
      expect(await copyStore(source, store)).toMatchObject({ stops: 2 })
      expect((await store.stops.standing(stop.made)).map(({ id }) => id)).toEqual(['for a while', 'standing'])
      expect((await store.stops.standing(stop.made + 1000)).map(({ id, reason }) => [id, reason])).toEqual([['standing', stop.reason]])
      expect(await store.stops.unrecorded()).toEqual([])
      await store.stops.lift('standing', 'ops', stop.made + 1000)
      expect(await copyStore(source, store)).toMatchObject({ stops: 0 })
      expect(await store.stops.standing(stop.made + 1000)).toEqual([])
    } finally {
      await store.close()
    }
  })

  test('with the objects of its configuration, again and again, and never over what the target has gone on to', async () => {
    const source = await from.open()
    const revision = (number: number, objects = '{}') => ({
      revision: number,
      made: number,
      by: 'root',
      reason: null,
      summary: 'apply',
      objects,
    })
    for (const number of [1, 2]) await source.configRevisions.add(revision(number))
    const store = await target(source.secret)
    try {
      const copied = async (): Promise<number> => {
        await copyStore(source, store)
        return store.configRevisions.newestNumber()
      }
      expect(await copied()).toBe(2)
      expect(await store.configRevisions.unrecorded()).toEqual([])
      await source.configRevisions.add(revision(3))
      expect(await copied()).toBe(3)
      await store.configRevisions.add(revision(4, '{"routes":{}}'))
      for (const number of [4, 5]) await source.configRevisions.add(revision(number))
      expect(await copied()).toBe(4)
      expect(await store.configRevisions.newest()).toMatchObject({ objects: '{"routes":{}}' })
    } finally {
      await store.close()
    }
  })

  test('with its keys and listings, again and again, and what came since comes along', async () => {
    const source = await from.open()
    await source.keys.insert(key('k1'))
    await source.keys.insert(key('k2'))
    await source.listings.save({ server: 's', tools: '[1]', seen: 1 })
    await source.pins.pinFirst('s', [{ tool: 'a', digest: 'd1', definition: '{}' }], 1, 'first listing')
    const store = await target(source.secret)
    try {
      expect(await copyStore(source, store)).toEqual({ keys: 2, revoked: 0, listings: 1, pins: 2, ...nobody })
      expect(await copyStore(source, store)).toEqual({ keys: 0, revoked: 0, listings: 0, pins: 0, ...nobody })
      await store.keys.insert(key('made there'))
      await source.keys.insert(key('k3'))
      await source.keys.revoke('k1', 7)
      await source.listings.save({ server: 's', tools: '[2]', seen: 2 })
      expect(await copyStore(source, store)).toEqual({ keys: 1, revoked: 1, listings: 1, pins: 0, ...nobody })
      expect(await store.keys.list()).toEqual([key('k1', { revoked: 7 }), key('k2'), key('k3'), key('made there')])
      expect(await store.listings.list()).toEqual([{ server: 's', tools: '[2]', seen: 2 }])
      expect(await store.pins.ofServer('s')).toEqual(new Map([['a', { digest: 'd1', by: 'first listing' }]]))
      expect(store.secret).toEqual(source.secret)
    } finally {
      await store.close()
    }
  })

  test('with its people: who was shut out there, before or since, is shut out here', async () => {
    const source = await from.open()
    const person = {
      issuer: 'acme',
      subject: null,
      kind: 'human',
      name: null,
      emails: [],
      roles: ['viewer'],
      created: 1,
      seen: null,
    } as const
    await source.people.add({ ...person, id: 'ada', active: false }, 1)
    await source.people.add({ ...person, id: 'bob', active: true }, 2)
    await source.people.setGroups('bob', 'scim:okta', ['staff'], 3)
    const store = await target(source.secret)
    try {
      await copyStore(source, store)
      expect(await store.people.find('ada')).toMatchObject({ active: false, roles: ['viewer'] })
      expect(await store.people.find('bob')).toMatchObject({ active: true, groups: [{ origin: 'scim:okta', group: 'staff' }] })
      await source.people.setActive('bob', false, 4)
      await copyStore(source, store)
      expect((await store.people.find('bob'))?.active).toBe(false)
    } finally {
      await store.close()
    }
  })

  test('with local accounts: what was set later counts, and no code is good again', async () => {
    const set = { password: 'first', totp: 'sealed', totpStep: 5, recovery: ['a', 'b', 'c'] }
    const source = await from.open()
    for (const name of ['ada', 'Bob', 'cleo']) await source.accounts.add(name, 1)
    for (const name of ['ada', 'cleo']) await source.accounts.set(name, set, 2)
    const store = await target(source.secret)
    try {
      await store.accounts.add('bob', 7)
      expect(await copyStore(source, store)).toMatchObject({ accounts: 2 })
      expect(await store.accounts.find('ada')).toEqual({ person: 'ada', ...set, created: 1, changed: 2 })
      // The name is somebody else's there.
      expect(await store.accounts.find('Bob')).toMatchObject({ person: 'bob', created: 7 })
      // Codes are used at either, and passwords are set anew at either.
      await source.accounts.useStep('ada', 9)
      await source.accounts.useRecovery('ada', 'a')
      await store.accounts.useRecovery('ada', 'b')
      await source.accounts.set('cleo', { ...set, password: 'second' }, 3)
      expect(await copyStore(source, store)).toMatchObject({ accounts: 0 })
      expect(await store.accounts.find('ada')).toMatchObject({ password: 'first', totpStep: 9, recovery: ['c'] })
      expect(await store.accounts.find('cleo')).toMatchObject({ password: 'second', changed: 3, recovery: ['a', 'b', 'c'] })
      await store.accounts.set('cleo', { ...set, password: 'third' }, 4)
      await copyStore(source, store)
      expect(await store.accounts.find('cleo')).toMatchObject({ password: 'third', changed: 4 })
    } finally {
      await store.close()
    }
  })

  test('with what directories have said, under the ids they know', async () => {
    const times = (moment: number, version: number) => ({ created: 1, changed: moment, version })
    const user = (name: string, moment = 1, version = 1, attributes = '{}') => {
      return { id: `u_${name}`, source: 'okta', person: name, nameKey: name, externalId: null, attributes, ...times(moment, version) }
    }
    const group = { id: 'g_1', source: 'entra', name: 'staff', externalId: 'x', ...times(1, 1) }
    const source = await from.open()
    for (const name of ['ada', 'bob', 'cleo']) await source.directories.users.add(user(name))
    await source.directories.groups.add(group)
    const store = await target(source.secret)
    try {
      expect(await copyStore(source, store)).toMatchObject({ directories: 4 })
      expect(await store.directories.sources()).toEqual(['entra', 'okta'])
      expect(await store.directories.users.page('okta', 0, 9)).toEqual(['ada', 'bob', 'cleo'].map((name) => user(name)))
      expect(await store.directories.groups.find('entra', 'g_1')).toEqual(group)
      await source.directories.users.replace(user('ada', 5, 2, '{"said":"here"}'))
      await source.directories.users.replace(user('bob', 5, 2, '{"said":"here"}'))
      await store.directories.users.replace(user('bob', 6, 2, '{"said":"there"}'))
      for (let again = 0; again < 2; again += 1) expect(await copyStore(source, store)).toMatchObject({ directories: 0 })
      const said = await store.directories.users.page('okta', 0, 9)
      expect(said.map(({ attributes, version }) => [attributes, version])).toEqual([
        ['{"said":"here"}', 2],
        ['{"said":"there"}', 2],
        ['{}', 1],
      ])
    } finally {
      await store.close()
    }
  })

  test('with what people have stored, still sealed, and what was stored at the target stays', async () => {
    const secret = (name: string, version: number, content: string) => {
      const times = { created: 1, changed: version, expires: null }
      return {
        id: `sec_${name}`,
        kind: 'provider',
        owner: 'ada',
        name,
        version,
        dataKey: 'sealed',
        sealedWith: 'installation',
        content,
        ...times,
      }
    }
    const source = await from.open()
    await source.secrets.write(secret('openai', 1, 'one'), 0)
    await source.secrets.write(secret('azure', 1, 'old'), 0)
    const store = await target(source.secret)
    try {
      await store.secrets.write({ ...secret('azure', 1, 'made there'), id: 'sec_other' }, 0)
      await copyStore(source, store)
      await source.secrets.write(secret('openai', 2, 'two'), 1)
      await copyStore(source, store)
      const found = await store.secrets.list({ owner: 'ada' })
      expect(found.map(({ name, content, version }) => [name, content, version])).toEqual([
        ['azure', 'made there', 1],
        ['openai', 'two', 2],
      ])
    } finally {
      await store.close()
    }
  })

  test('and into no database that is another installation already', async () => {
    const source = await from.open()
    const other = await to.open()
    await expect(copyStore(source, other)).rejects.toMatchObject({ code: 'store.failed' })
    await expect(target(source.secret)).rejects.toMatchObject({ code: 'store.failed' })
  })

  test('and never over a key that is another one', async () => {
    const source = await from.open()
    await source.keys.insert(key('k1'))
    const store = await target(source.secret)
    try {
      await store.keys.insert(key('k1', { hash: 'another' }))
      await expect(copyStore(source, store)).rejects.toMatchObject({ code: 'store.failed' })
    } finally {
      await store.close()
    }
  })
})
