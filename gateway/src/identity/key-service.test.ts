import { mkdtempSync, readdirSync, readFileSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterEach, beforeEach, describe, expect, test } from 'vitest'
import { openStore, type Store } from '../store/store.ts'
import { principal, snapshotWith, testClock } from './identity-parts.fixture.ts'
import { createKeyService, type KeyService } from './key-service.ts'

const snapshot = snapshotWith({ principals: new Map([['alice', principal('alice')]]) })
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

  test('that do not exist cannot be revoked', async () => {
    await expect(service.revoke('key_none')).rejects.toMatchObject({ code: 'request.invalid' })
  })
})
