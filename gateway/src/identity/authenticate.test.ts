import { mkdtempSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterEach, beforeEach, describe, expect, test } from 'vitest'
import type { ConfiguredKey, Snapshot } from '../config/snapshot.ts'
import { silentLogger } from '../core/logger.ts'
import { openStore, type Store } from '../store/store.ts'
import { createAuthenticator, type Authenticator } from './authenticate.ts'
import { principal, snapshotWith, testClock, type TestClock } from './identity-parts.fixture.ts'
import { nothingRevoked, peopleOfTheFile } from './people/people.fixture.ts'
import { createKeyService, type KeyService } from './key-service.ts'
import { newVirtualKey } from './ways/key/virtual-keys.ts'

const noPeople = { people: peopleOfTheFile, revocations: nothingRevoked }

const secret = 'a-key-from-the-configuration'
const configured: ConfiguredKey = {
  id: 'ci',
  principal: 'alice',
  consumer: 'app',
  actor: 'bot',
  secret,
  expires: null,
  scopes: null,
  within: null,
  credentials: new Map([['openai', 'c1']]),
}

let folder: string
let store: Store
let clock: TestClock
let service: KeyService
let authenticator: Authenticator
let reads: number
let snapshot: Snapshot

beforeEach(async () => {
  folder = mkdtempSync(join(tmpdir(), 'turnward-identity-'))
  store = await openStore({ kind: 'sqlite', dataDir: folder })
  clock = testClock()
  reads = 0
  const keys = { ...store.keys, findByHash: (hash: string) => ((reads += 1), store.keys.findByHash(hash)) }
  authenticator = createAuthenticator({ store: { secret: store.secret, keys }, ...noPeople, clock, logger: silentLogger })
  // The CLI: another connection to the same file.
  service = createKeyService({ store, clock })
  snapshot = snapshotWith({ principals: new Map([['alice', principal('alice')]]), keys: new Map([['ci', configured]]) })
})

afterEach(async () => {
  await store.close()
  rmSync(folder, { recursive: true, force: true })
})

function bearer(key: string) {
  return { authorization: `Bearer ${key}` }
}

function refusedWith(code: string) {
  return expect.objectContaining({ code })
}

describe('a key of the configuration', () => {
  test('names its principal, consumer, actor and credentials', async () => {
    const caller = await authenticator.authenticate({ headers: bearer(secret) }, snapshot, 'models')
    expect(caller).toEqual({
      principal: principal('alice'),
      key: 'ci',
      consumer: 'app',
      actor: 'bot',
      actors: ['bot'],
      issuer: null,
      scopes: ['models', 'mcp'],
      expires: null,
      claims: {},
      credentials: new Map([['openai', 'c1']]),
      later: 'ci',
    })
    expect(reads).toBe(0)
  })

  test('belongs to the snapshot it is in, and to no other', async () => {
    await authenticator.authenticate({ headers: bearer(secret) }, snapshot, 'models')
    const without = snapshotWith({ principals: snapshot.principals })
    await expect(authenticator.authenticate({ headers: bearer(secret) }, without, 'models')).rejects.toEqual(
      refusedWith('auth.unknown_key'),
    )
  })

  test('takes the principal of the snapshot it is asked with', async () => {
    await authenticator.authenticate({ headers: bearer(secret) }, snapshot, 'models')
    const next = snapshotWith({ ...snapshot, principals: new Map([['alice', principal('alice', { groups: ['finance'] })]]) })
    expect((await authenticator.authenticate({ headers: bearer(secret) }, next, 'models')).principal.groups).toEqual(['finance'])
  })

  test('is refused from the millisecond it expires, also when it was used before', async () => {
    const expiring = snapshotWith({ ...snapshot, keys: new Map([['ci', { ...configured, expires: clock.now() + 10 }]]) })
    clock.advance(9)
    await authenticator.authenticate({ headers: bearer(secret) }, expiring, 'models')
    clock.advance(1)
    await expect(authenticator.authenticate({ headers: bearer(secret) }, expiring, 'models')).rejects.toEqual(
      refusedWith('auth.expired_key'),
    )
  })

  test('is refused when a second key has the same secret', async () => {
    const twice = snapshotWith({
      ...snapshot,
      keys: new Map([
        ['ci', configured],
        ['cd', { ...configured, id: 'cd' }],
      ]),
    })
    await expect(authenticator.authenticate({ headers: bearer(secret) }, twice, 'models')).rejects.toEqual(refusedWith('auth.unknown_key'))
  })
})

describe('a key of the store', () => {
  test('works as soon as it was created', async () => {
    const { key, id } = await service.create({ principal: 'alice', consumer: 'app' }, snapshot)
    const caller = await authenticator.authenticate({ headers: { 'x-api-key': key } }, snapshot, 'models')
    expect(caller).toMatchObject({ key: id, consumer: 'app', actor: null, principal: { id: 'alice' } })
  })

  test('is read once a second, however busy it is', async () => {
    const { key } = await service.create({ principal: 'alice' }, snapshot)
    await Promise.all(Array.from({ length: 20 }, () => authenticator.authenticate({ headers: bearer(key) }, snapshot, 'models')))
    clock.advance(999)
    await authenticator.authenticate({ headers: bearer(key) }, snapshot, 'models')
    expect(reads).toBe(1)
    clock.advance(1)
    await authenticator.authenticate({ headers: bearer(key) }, snapshot, 'models')
    expect(reads).toBe(2)
  })

  test('is refused within a second of being revoked by another process', async () => {
    const { key, id } = await service.create({ principal: 'alice' }, snapshot)
    await authenticator.authenticate({ headers: bearer(key) }, snapshot, 'models')
    const cli = await openStore({ kind: 'sqlite', dataDir: folder })
    await createKeyService({ store: cli, clock }).revoke(id)
    await cli.close()
    clock.advance(1000)
    await expect(authenticator.authenticate({ headers: bearer(key) }, snapshot, 'models')).rejects.toEqual(refusedWith('auth.revoked_key'))
  })

  test('is refused when it has expired, although it is remembered', async () => {
    const { key } = await service.create({ principal: 'alice', expires: clock.now() + 500 }, snapshot)
    await authenticator.authenticate({ headers: bearer(key) }, snapshot, 'models')
    clock.advance(500)
    await expect(authenticator.authenticate({ headers: bearer(key) }, snapshot, 'models')).rejects.toEqual(refusedWith('auth.expired_key'))
    expect(reads).toBe(1)
  })

  test('is refused when the snapshot does not know its principal', async () => {
    const { key } = await service.create({ principal: 'alice' }, snapshot)
    await authenticator.authenticate({ headers: bearer(key) }, snapshot, 'models')
    const without = snapshotWith({ principals: new Map([['bob', principal('bob')]]) })
    await expect(authenticator.authenticate({ headers: bearer(key) }, without, 'models')).rejects.toEqual(
      expect.objectContaining({ code: 'auth.unknown_key', why: expect.stringContaining('the principal of the key is neither') }),
    )
  })

  test('is refused when the store cannot be read any more, once a second has passed', async () => {
    const { key } = await service.create({ principal: 'alice' }, snapshot)
    let broken = false
    const keys = { ...store.keys, findByHash: (hash: string) => (broken ? Promise.reject(new Error('gone')) : store.keys.findByHash(hash)) }
    const other = createAuthenticator({ store: { secret: store.secret, keys }, ...noPeople, clock, logger: silentLogger })
    await other.authenticate({ headers: bearer(key) }, snapshot, 'models')
    broken = true
    clock.advance(1000)
    await expect(other.authenticate({ headers: bearer(key) }, snapshot, 'models')).rejects.toThrow('gone')
  })
})

describe('what a key is good for', () => {
  test('is model calls and the MCP endpoint when it does not say, and never the administration by mistake', async () => {
    const { key } = await service.create({ principal: 'alice' }, snapshot)
    for (const shown of [key, secret]) {
      for (const needs of ['models', 'mcp'] as const)
        expect((await authenticator.authenticate({ headers: bearer(shown) }, snapshot, needs)).scopes).toEqual(['models', 'mcp'])
      await expect(authenticator.authenticate({ headers: bearer(shown) }, snapshot, 'admin')).rejects.toEqual(
        refusedWith('auth.insufficient_scope'),
      )
    }
  })

  test('is what it says', async () => {
    const { key } = await service.create({ principal: 'alice', scopes: ['mcp'] }, snapshot)
    await authenticator.authenticate({ headers: bearer(key) }, snapshot, 'mcp')
    await expect(authenticator.authenticate({ headers: bearer(key) }, snapshot, 'models')).rejects.toEqual(
      refusedWith('auth.insufficient_scope'),
    )
    const limited = snapshotWith({
      principals: new Map([['alice', principal('alice')]]),
      keys: new Map([['ci', { ...configured, scopes: ['admin'] as const }]]),
    })
    await authenticator.authenticate({ headers: bearer(secret) }, limited, 'admin')
    await expect(authenticator.authenticate({ headers: bearer(secret) }, limited, 'mcp')).rejects.toEqual(
      refusedWith('auth.insufficient_scope'),
    )
  })

  test('goes with its caller: what it may use at most', async () => {
    const within = { models: ['gpt-*'], gateways: null, tools: [] }
    const { key } = await service.create({ principal: 'alice', within }, snapshot)
    expect((await authenticator.authenticate({ headers: bearer(key) }, snapshot, 'models')).within).toEqual(within)
  })
})

describe('a key that is rotated', () => {
  test('is called with both secrets for the overlap, and then with the new one', async () => {
    const first = await service.create({ principal: 'alice' }, snapshot)
    await authenticator.authenticate({ headers: bearer(first.key) }, snapshot, 'models')
    const second = await service.rotate(first.id, { overlapMs: 5000 })
    const callers = await Promise.all(
      [first.key, second.key].map((key) => authenticator.authenticate({ headers: bearer(key) }, snapshot, 'models')),
    )
    expect(callers.map(({ key }) => key)).toEqual([first.id, first.id])
    clock.advance(4999)
    await authenticator.authenticate({ headers: bearer(first.key) }, snapshot, 'models')
    // Remembered, and no longer good all the same.
    clock.advance(1)
    await expect(authenticator.authenticate({ headers: bearer(first.key) }, snapshot, 'models')).rejects.toEqual(
      refusedWith('auth.revoked_key'),
    )
    await authenticator.authenticate({ headers: bearer(second.key) }, snapshot, 'models')
  })

  test('is called by its id whichever secret it has now', async () => {
    const { id } = await service.create({ principal: 'alice' }, snapshot)
    await service.rotate(id, { overlapMs: 0 })
    expect((await authenticator.callerLater(id, snapshot)).key).toBe(id)
  })
})

describe('an unknown key', () => {
  test('is refused, and asked for once a second', async () => {
    const unknown = newVirtualKey()
    for (let attempt = 0; attempt < 3; attempt += 1) {
      await expect(authenticator.authenticate({ headers: bearer(unknown) }, snapshot, 'models')).rejects.toEqual(
        refusedWith('auth.unknown_key'),
      )
    }
    expect(reads).toBe(1)
    clock.advance(1000)
    await expect(authenticator.authenticate({ headers: bearer(unknown) }, snapshot, 'models')).rejects.toEqual(
      refusedWith('auth.unknown_key'),
    )
    expect(reads).toBe(2)
  })

  test('does not reach the store when it cannot be one of ours', async () => {
    await expect(authenticator.authenticate({ headers: bearer('sk-something-else') }, snapshot, 'models')).rejects.toEqual(
      refusedWith('auth.unknown_key'),
    )
    expect(reads).toBe(0)
  })

  test('is never quoted in the error', async () => {
    const unknown = newVirtualKey()
    const error = await authenticator.authenticate({ headers: bearer(unknown) }, snapshot, 'models').catch((thrown: unknown) => thrown)
    expect(JSON.stringify(error) + String(error)).not.toContain(unknown.slice(3))
  })
})

describe('a key by its id, of a call that was asked for earlier,', () => {
  test('stands for the same caller, wherever it is kept', async () => {
    const made = await service.create({ principal: 'alice', consumer: 'app' }, snapshot)
    expect(await authenticator.callerLater('ci', snapshot)).toEqual(
      await authenticator.authenticate({ headers: bearer(secret) }, snapshot, 'models'),
    )
    expect(await authenticator.callerLater(made.id, snapshot)).toEqual(
      await authenticator.authenticate({ headers: bearer(made.key) }, snapshot, 'models'),
    )
  })

  test('is as good as it is now: nothing is remembered', async () => {
    const made = await service.create({ principal: 'alice', expires: clock.now() + 5000 }, snapshot)
    await authenticator.callerLater(made.id, snapshot)
    clock.advance(5000)
    await expect(authenticator.callerLater(made.id, snapshot)).rejects.toEqual(refusedWith('auth.expired_key'))
    await service.revoke(made.id)
    await expect(authenticator.callerLater(made.id, snapshot)).rejects.toEqual(refusedWith('auth.revoked_key'))
  })

  test('is unknown when it is gone, when its principal is, or when another key of the configuration has its secret', async () => {
    await expect(authenticator.callerLater('key_nobody', snapshot)).rejects.toEqual(refusedWith('auth.unknown_key'))
    const nobody = snapshotWith({ principals: new Map(), keys: new Map([['ci', configured]]) })
    await expect(authenticator.callerLater('ci', nobody)).rejects.toEqual(refusedWith('auth.unknown_key'))
    const twice = snapshotWith({
      principals: new Map([['alice', principal('alice')]]),
      keys: new Map([
        ['ci', configured],
        ['cd', { ...configured, id: 'cd' }],
      ]),
    })
    await expect(authenticator.callerLater('ci', twice)).rejects.toEqual(refusedWith('auth.unknown_key'))
  })
})
