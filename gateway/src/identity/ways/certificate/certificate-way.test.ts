import { expect, test } from 'vitest'
import { configSchema } from '@turnward/contract/config'
import type { Snapshot } from '../../../config/snapshot.ts'
import { principal, snapshotWith, testClock } from '../../identity-parts.fixture.ts'
import { peopleOfTheFile } from '../../people/people.fixture.ts'
import type { HopCertificate, Identity } from '../way.ts'
import { createCertificateWay } from './certificate-way.ts'

const clock = testClock()
const way = createCertificateWay({ people: peopleOfTheFile, clock })
const ids = ['ci', 'robot', 'spiffe://acme/ns/ai/sa/agent', 'zoe@acme.example']
const certificates = {
  ci: { san: ['ci.acme.example'], principal: 'ci', consumer: 'pipeline', actor: 'builder' },
  agents: { san: ['spiffe://acme/ns/*/sa/*'], user: 'san' },
  people: { san: ['*@acme.example'], user: 'san', kind: 'human' },
}

function snapshotOf(more: object = {}): Snapshot {
  const { identity } = configSchema.parse({ identity: { certificates, ...more } })
  return snapshotWith({ identity, principals: new Map(ids.map((id) => [id, principal(id)])) })
}

async function found(names: readonly string[], snapshot = snapshotOf(), more: Partial<HopCertificate> = {}): Promise<Identity | undefined> {
  return way.find(
    { headers: {}, hop: { address: '::1', certificate: { names, fingerprint: 'ab'.repeat(32), expires: Infinity, ...more } } },
    snapshot,
  )
}

test('a name means a declared principal, with its application and its agent', async () => {
  expect(await found(['DNS:ci.acme.example', 'DNS:other.example'])).toMatchObject({
    principal: { id: 'ci' },
    id: 'certificate:abababababababab',
    consumer: 'pipeline',
    actors: ['builder'],
  })
})

test('a name is the user where that is said', async () => {
  expect((await found(['URI:spiffe://acme/ns/ai/sa/agent']))?.principal.id).toBe('spiffe://acme/ns/ai/sa/agent')
  expect((await found(['email:zoe@acme.example']))?.principal.id).toBe('zoe@acme.example')
})

test('a certificate that means nobody here is nobody', async () => {
  expect(await found(['DNS:stranger.example'])).toBeUndefined()
  expect(await way.find({ headers: {}, hop: { address: '::1' } }, snapshotOf())).toBeUndefined()
})

test.each([
  ['two entries', ['DNS:ci.acme.example', 'email:zoe@acme.example']],
  ['two users', ['email:zoe@acme.example', 'email:yan@acme.example']],
])('a certificate that means %s is refused', async (_what, names) => {
  await expect(found(names)).rejects.toThrow(expect.objectContaining({ code: 'auth.two_identities' }))
})

test('that of an edge says where a request comes from, and not from whom', async () => {
  const edges = { front: { mtls: { san: ['ci.acme.example'] }, headers: 'kong' } }
  expect(await found(['DNS:ci.acme.example'], snapshotOf({ edges }))).toBeUndefined()
})

test('a certificate that expires while its connection lasts is refused', async () => {
  const expires = clock.now() + 1000
  const asked = () => found(['DNS:ci.acme.example'], snapshotOf(), { expires })
  expect(await asked()).toMatchObject({ expires })
  clock.advance(1000)
  await expect(asked()).rejects.toThrow(expect.objectContaining({ code: 'auth.expired_key' }))
})

test('work for later is for the same caller, as long as the entry is there', async () => {
  const { later = '' } = (await found(['DNS:ci.acme.example'])) ?? {}
  expect(await way.findLater?.(later, snapshotOf())).toMatchObject({ principal: { id: 'ci' }, consumer: 'pipeline' })
  expect(await way.findLater?.(later, snapshotOf({ certificates: {} }))).toBeUndefined()
})
