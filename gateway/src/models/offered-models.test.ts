/** What an upstream offers, over time: remembered, asked again, and kept when it fails. A vendor on a real socket. */
import { afterAll, beforeAll, expect, test } from 'vitest'
import { upstreamSchema } from '@turnward/contract/config/model-floor'
import { startVendor, type Vendor } from '../../../conformance/harness/vendor.ts'
import type { Snapshot, Upstream } from '../config/snapshot.ts'
import { silentLogger } from '../core/logger.ts'
import { nobodysCredentials } from '../identity/vault/stored-credentials.ts'
import type { Caller } from '../core/principal.ts'
import { OfferedModels } from './offered-models.ts'
import { Upstreams } from './upstreams.ts'

let vendor: Vendor
beforeAll(async () => {
  vendor = await startVendor()
})
afterAll(() => vendor.close())

const caller = { principal: { id: 'alice', groups: [], credentials: new Map() }, credentials: new Map() } as unknown as Caller

function offering(): {
  readonly ask: (secret?: string) => Promise<readonly string[]>
  readonly pass: (milliseconds: number) => void
  readonly offer: (...names: string[]) => void
} {
  let now = 0
  const upstreams = new Upstreams()
  const offered = new OfferedModels(upstreams, nobodysCredentials, { now: () => now, monotonic: () => now }, silentLogger)
  const upstream: Upstream = { name: 'vendor', config: upstreamSchema.parse({ kind: 'openai', base_url: vendor.url, credential: 'team' }) }
  const snapshotWith = (secret: string): Snapshot =>
    ({
      upstreams: new Map([['vendor', upstream]]),
      credentials: new Map([['team', { id: 'team', kind: 'static', secret }]]),
      groupCredentials: new Map(),
    }) as unknown as Snapshot
  return {
    ask: (secret = 'sk-one') => offered.of(snapshotWith(secret), caller, upstream),
    pass: (milliseconds) => (now += milliseconds),
    offer: (...names) => vendor.respond(() => ({ parts: [JSON.stringify({ data: names.map((id) => ({ id })) })] })),
  }
}

test('is remembered for minutes, then asked again', async () => {
  const { ask, pass, offer } = offering()
  offer('a')
  expect(await ask()).toEqual(['a'])
  offer('b')
  pass(299_000)
  expect(await ask()).toEqual(['a'])
  pass(2000)
  expect(await ask()).toEqual(['b'])
})

test('stays as it was last known while the upstream fails, which is not asked by every list', async () => {
  const { ask, pass, offer } = offering()
  offer('a')
  await ask()
  pass(301_000)
  vendor.respond(() => ({ status: 500, parts: ['down'] }))
  const before = vendor.requests.length
  expect([await ask(), await ask()]).toEqual([['a'], ['a']])
  expect(vendor.requests).toHaveLength(before + 1)
  offer('b')
  pass(31_000)
  expect(await ask()).toEqual(['b'])
})

test('is not shared between credentials', async () => {
  const { ask } = offering()
  vendor.respond(({ headers }) => ({ parts: [JSON.stringify({ data: [{ id: headers.authorization }] })] }))
  expect([await ask('sk-one'), await ask('sk-two')]).toEqual([['Bearer sk-one'], ['Bearer sk-two']])
})

test('is bounded, and has only names a client can ask with', async () => {
  const { ask, offer } = offering()
  offer('', 'x'.repeat(257), 'line\nbreak', ...Array.from({ length: 3000 }, (_, index) => `m${index}`))
  const names = await ask()
  expect([names.length, names[0]]).toEqual([2000, 'm0'])
})
