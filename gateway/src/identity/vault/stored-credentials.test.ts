import { expect, test } from 'vitest'
import { testClock } from '../identity-parts.fixture.ts'
import { createStoredCredentials, ownerText } from './stored-credentials.ts'
import type { SecretInfo } from './vault.ts'

/** A vault of provider credentials in memory that counts what it is asked. */
function fakeVault() {
  const secrets = new Map<string, SecretInfo & { content: string }>()
  const asked = { marks: 0, lists: 0, gets: 0 }
  const state = { isDown: false, isHeld: undefined as Promise<void> | undefined }
  const nameOf = ({ owner, name }: { owner: string; name: string }) => `${owner} ${name}`
  return {
    asked,
    state,
    put(owner: string, content: object, version = 1) {
      const info = {
        id: `sec_${owner}`,
        kind: 'provider',
        owner,
        name: 'openai',
        version,
        created: 0,
        changed: 0,
        expires: null,
        sealedWith: 'k',
      }
      secrets.set(nameOf(info), { ...info, content: JSON.stringify(content) })
    },
    async mark() {
      asked.marks += 1
      await state.isHeld
      if (state.isDown) throw new Error('the store is down')
      return [...secrets.values()].map(({ id, version }) => `${id}${version}`).join()
    },
    async list() {
      asked.lists += 1
      return [...secrets.values()]
    },
    async get(place: { owner: string; name: string }) {
      asked.gets += 1
      return secrets.get(nameOf(place))
    },
  }
}

test('what is stored is known after the first look, opened once, and opened again when it is another one', async () => {
  const vault = fakeVault()
  const clock = testClock()
  const stored = createStoredCredentials(vault, clock)
  vault.put('alice', { secret: 'one' })
  await stored.settled()
  expect(stored.settled()).toBeUndefined()
  for (let use = 0; use < 3; use += 1)
    expect(await stored.of({ person: 'alice' }, 'openai')).toEqual({ id: 'sec_alice', kind: 'static', secret: 'one' })
  expect([
    stored.of({ person: 'bob' }, 'openai'),
    stored.of({ group: 'alice' }, 'openai'),
    stored.of({ person: 'alice' }, 'azure'),
  ]).toEqual([undefined, undefined, undefined])
  expect(vault.asked).toEqual({ marks: 1, lists: 1, gets: 1 })
  vault.put('alice', { secret: 'two' }, 2)
  clock.advance(5000)
  await stored.settled()
  expect(await stored.of({ person: 'alice' }, 'openai')).toMatchObject({ secret: 'two' })
})

test('nothing is read again while nothing changes, and nobody waits for a look as long as what is known is young', async () => {
  const vault = fakeVault()
  const clock = testClock()
  const stored = createStoredCredentials(vault, clock)
  expect(stored.isEmpty).toBe(true)
  vault.put('alice', { secret: 'one' })
  await stored.settled()
  for (let second = 0; second < 4; second += 1) {
    clock.advance(1000)
    expect(stored.settled()).toBeUndefined()
    await Promise.resolve()
    await Promise.resolve()
    await Promise.resolve()
  }
  expect(vault.asked.lists).toBe(1)
})

test('while the store is down nothing old is used for long', async () => {
  const vault = fakeVault()
  const clock = testClock()
  const stored = createStoredCredentials(vault, clock)
  vault.put('alice', { secret: 'one' })
  await stored.settled()
  vault.state.isDown = true
  clock.advance(4999)
  expect(stored.settled()).toBeUndefined()
  clock.advance(1)
  await expect(stored.settled()).rejects.toThrow('down')
})

test('keys of a cloud and of a service account come back as they are used', async () => {
  const vault = fakeVault()
  const stored = createStoredCredentials(vault, testClock())
  vault.put('alice', { aws: { access_key_id: 'AKIA12345678', secret_access_key: 'very secret' } })
  const file = JSON.stringify({ type: 'service_account', client_email: 'data@acme.example', private_key: '-----BEGIN PRIVATE KEY-----' })
  vault.put('group:data', { google: { service_account: file } })
  vault.put('', { aws: { identity: 'instance' } })
  await stored.settled()
  expect(await stored.of({ person: 'alice' }, 'openai')).toMatchObject({
    kind: 'parts',
    credential: { kind: 'aws', accessKeyId: 'AKIA12345678' },
  })
  expect(await stored.of({ group: 'data' }, 'openai')).toMatchObject({
    kind: 'google-identity',
    identity: { from: 'service-account', key: file },
  })
  // What the machine of the gateway is given is nobody's to store.
  await expect(stored.of('organisation', 'openai')).rejects.toMatchObject({ code: 'upstream.credential' })
  expect(ownerText('organisation')).toBe('')
})

test('no two owners are one: a person whom an issuer calls like a group has nothing of the group', () => {
  const people = ['alice', 'group:staff', 'person:alice', 'person:group:staff', ''].map((person) => ownerText({ person }))
  const texts = [...people, ownerText({ group: 'staff' }), ownerText({ group: '' }), ownerText('organisation')]
  expect(new Set(texts).size).toBe(texts.length)
  expect(ownerText({ person: 'alice' })).toBe('alice')
})
