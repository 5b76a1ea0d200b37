import { mkdtempSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterEach, beforeEach, describe, expect, test } from 'vitest'
import { openStore, type Store } from './store.ts'

let folder: string
let store: Store
beforeEach(async () => {
  folder = mkdtempSync(join(tmpdir(), 'turnward-listings-'))
  store = await openStore(folder)
})
afterEach(async () => {
  await store.close()
  rmSync(folder, { recursive: true, force: true })
})

const servers = async (): Promise<string[]> => (await store.listings.list()).map(({ server }) => server)

describe('listings', () => {
  test('are kept across a restart, the newest of each server', async () => {
    await store.listings.save({ server: 'a', tools: '[1]', seen: 1 })
    await store.listings.save({ server: 'a', tools: '[2]', seen: 2 })
    await store.close()
    store = await openStore(folder)
    expect(await store.listings.list()).toEqual([{ server: 'a', tools: '[2]', seen: 2 }])
  })

  test('of servers that are not configured are forgotten when they were not seen for long, or when they are too many', async () => {
    for (const [server, seen] of [
      ['configured', 1],
      ['old', 9],
      ['third', 10],
      ['second', 11],
      ['first', 12],
    ] as const)
      await store.listings.save({ server, tools: '[]', seen })
    await store.listings.retain(['configured', 'unlisted'], { now: 20, since: 10, most: 3 })
    expect(await servers()).toEqual(['configured', 'first', 'second', 'third'])
    await store.listings.retain(['configured'], { now: 21, since: 10, most: 2 })
    expect(await servers()).toEqual(['configured', 'first', 'second'])
    // From the day it was last configured, not from the day it was listed.
    await store.listings.retain([], { now: 30, since: 21, most: 9 })
    expect(await servers()).toEqual(['configured'])
  })

  test('are retained however many servers there are', async () => {
    const many = Array.from({ length: 1100 }, (_, index) => `s${index}`)
    for (const server of many) await store.listings.save({ server, tools: '[]', seen: 1 })
    await store.listings.retain(many.slice(0, 550), { now: 5, since: 5, most: 0 })
    expect(await servers()).toHaveLength(550)
  })
})
