import { mkdtempSync, readdirSync, readFileSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterEach, beforeEach, describe, expect, test } from 'vitest'
import type { McpGateway } from '../config/snapshot.ts'
import { openStore, type Store } from '../store/store.ts'
import { principal, snapshotWith, testClock } from './identity-parts.fixture.ts'
import { createKeyService, type KeyService } from './key-service.ts'

const snapshot = snapshotWith({
  principals: new Map([['alice', principal('alice')]]),
  gateways: new Map([['main', {} as McpGateway]]),
})
const clock = testClock()
let folder: string
let store: Store
let service: KeyService

beforeEach(async () => {
  folder = mkdtempSync(join(tmpdir(), 'turnward-keys-'))
  store = await openStore({ kind: 'sqlite', dataDir: folder })
  service = createKeyService({ store, clock })
})

afterEach(async () => {
  await store.close()
  rmSync(folder, { recursive: true, force: true })
})

describe('keys', () => {
  test('are shown once: neither the list nor any file has them', async () => {
    const { key } = await service.create({ principal: 'alice', actor: 'bot', expires: clock.now() + 1000 }, snapshot)
    const listed = await service.list()
    expect(listed).toMatchObject([{ principal: 'alice', actor: 'bot', prefix: key.slice(0, 9), status: 'active' }])
    expect(JSON.stringify(listed)).not.toContain(key)
    await store.close()
    for (const name of readdirSync(folder)) expect(readFileSync(join(folder, name)).includes(key.slice(9)), name).toBe(false)
  })

  test('are revoked by id, by prefix, or by the key itself', async () => {
    const keys = [
      await service.create({ principal: 'alice' }, snapshot),
      await service.create({ principal: 'alice' }, snapshot),
      await service.create({ principal: 'alice' }, snapshot),
    ]
    const names = [keys[0]?.id, keys[1]?.prefix, keys[2]?.key]
    for (const name of names) expect((await service.revoke(name ?? '')).status).toBe('revoked')
    expect((await service.list()).map((key) => key.status)).toEqual(['revoked', 'revoked', 'revoked'])
  })

  test('keep the time they were first revoked', async () => {
    const { id } = await service.create({ principal: 'alice' }, snapshot)
    const first = await service.revoke(id)
    clock.advance(5000)
    expect((await service.revoke(id)).revoked).toBe(first.revoked)
  })

  test('are not created for what the configuration does not know', async () => {
    await expect(service.create({ principal: 'mallory' }, snapshot)).rejects.toMatchObject({ code: 'request.invalid', subject: 'mallory' })
    await expect(service.create({ principal: 'alice', credentials: { up: 'c' } }, snapshot)).rejects.toMatchObject({
      code: 'request.invalid',
    })
    await expect(service.create({ principal: 'alice', expires: clock.now() }, snapshot)).rejects.toMatchObject({ code: 'request.invalid' })
    expect(await service.list()).toEqual([])
  })

  test('are created for people that are known without being declared', async () => {
    const known = {
      issuer: 'acme',
      subject: 's1',
      kind: 'human',
      name: null,
      emails: [],
      active: true,
      roles: [],
      created: 1,
      seen: 1,
    } as const
    await store.people.add({ id: 'dana@acme.example', ...known }, 1)
    expect(await service.create({ principal: 'dana@acme.example' }, snapshot)).toMatchObject({ principal: 'dana@acme.example' })
  })

  test('say what they are good for and what they may use at most', async () => {
    const within = { models: ['gpt-*'], gateways: null, tools: ['jira__*'] }
    const { id } = await service.create({ principal: 'alice', scopes: ['models'], within }, snapshot)
    expect(await service.show(id)).toMatchObject({ id, scopes: ['models'], within, lastUsed: null, previousUntil: null })
    await expect(
      service.create({ principal: 'alice', within: { models: null, gateways: ['mian'], tools: null } }, snapshot),
    ).rejects.toMatchObject({ code: 'request.invalid', subject: 'mian', why: expect.stringContaining('`main`') })
  })

  test('are rotated in place: a new secret, the same limits, and the old one for the overlap', async () => {
    const first = await service.create({ principal: 'alice', scopes: ['mcp'], expires: clock.now() + 10_000 }, snapshot)
    const second = await service.rotate(first.prefix, { overlapMs: 500 })
    expect(second).toMatchObject({ id: first.id, scopes: ['mcp'], expires: first.expires, previousUntil: clock.now() + 500 })
    expect(second.key).not.toBe(first.key)
    expect(await service.show(first.key)).toMatchObject({ id: first.id })
    clock.advance(500)
    expect((await service.show(second.key)).previousUntil).toBeNull()
    const third = await service.rotate(first.id, { overlapMs: 0, expires: null })
    expect(third).toMatchObject({ expires: null, previousUntil: null })
    await expect(service.show(first.key)).rejects.toMatchObject({ why: 'there is no such key' })
  })

  test('are not rotated when they are revoked, for too long, or into the past', async () => {
    const { id } = await service.create({ principal: 'alice' }, snapshot)
    await expect(service.rotate(id, { overlapMs: 91 * 86_400_000 })).rejects.toMatchObject({ subject: 'overlap' })
    await expect(service.rotate(id, { overlapMs: 0, expires: clock.now() })).rejects.toMatchObject({ subject: 'expires' })
    await service.revoke(id)
    await expect(service.rotate(id, { overlapMs: 0 })).rejects.toMatchObject({ subject: id })
  })

  test('that do not exist cannot be revoked', async () => {
    await expect(service.revoke('key_none')).rejects.toMatchObject({ code: 'request.invalid' })
  })
})
