import { mkdtemp, rm } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterEach, beforeEach, expect, test } from 'vitest'
import { systemClock } from '../../core/clock.ts'
import { parseExactJson } from '../../core/exact-json.ts'
import type { JsonObject } from '../../core/json.ts'
import { silentLogger } from '../../core/logger.ts'
import type { McpServer, Snapshot } from '../../config/snapshot.ts'
import { openStore, type Store } from '../../store/store.ts'
import { snapshotOf } from '../running-parts.fixture.ts'
import { readTools, type ReadTools } from '../tool-definitions.ts'
import { KnownTools } from './known-tools.ts'

let folder: string
let store: Store
beforeEach(async () => {
  folder = await mkdtemp(join(tmpdir(), 'turnward-known-'))
  store = await openStore({ kind: 'sqlite', dataDir: folder })
})
afterEach(async () => {
  await store.close()
  await rm(folder, { recursive: true, force: true })
})

/** As a process begins: with what the earlier ones left. */
async function begin(): Promise<KnownTools> {
  return new KnownTools({ stored: await store.listings.list(), store: store.listings, clock: systemClock, logger: silentLogger })
}

const server = (url = 'http://127.0.0.1:1/mcp'): JsonObject => ({ transport: 'http', url })
const configured = (...names: readonly string[]): Snapshot =>
  snapshotOf({ servers: Object.fromEntries(names.map((name) => [name, server()])) })
function serverOf(snapshot: Snapshot, name = 's'): McpServer {
  const found = snapshot.servers.get(name)
  if (found === undefined) throw new Error(`no ${name}`)
  return found
}
const listing = (name: string, ...tools: readonly (string | JsonObject)[]): ReadTools =>
  readTools(
    name,
    tools.map((tool) => (typeof tool === 'string' ? { name: tool, inputSchema: { type: 'object' } } : tool)),
  )
const namesOf = (known: KnownTools, snapshot: Snapshot): string[] => known.of(snapshot).map(({ name }) => name)

test('only servers that the snapshot configures have names', async () => {
  const known = await begin()
  const [one, both] = [configured('s'), configured('s', 'r')]
  known.record(serverOf(both, 'r'), listing('r', 'x'))
  known.record(serverOf(both), listing('s', 't', 'u'))
  expect(namesOf(known, one)).toEqual(['s__t', 's__u'])
  expect(namesOf(known, both)).toEqual(['s__t', 's__u', 'r__x'])
  expect(namesOf(known, snapshotOf({}))).toEqual([])
})

test('the array and its tools stay the same objects until a listing differs', async () => {
  const known = await begin()
  const [snapshot, other] = [configured('s'), configured('s', 'r')]
  known.record(serverOf(snapshot), listing('s', 't'))
  const before = known.of(snapshot)
  expect(known.record(serverOf(snapshot), listing('s', 't')).tools[0]).toBe(before[0])
  known.record(serverOf(other, 'r'), listing('r', 'x'))
  expect(known.of(snapshot)).toBe(before)
  known.record(serverOf(snapshot), listing('s', { name: 't', inputSchema: { type: 'object' }, description: 'changed' }))
  expect(known.of(snapshot)).not.toBe(before)
})

test('what was listed is known to the next process, exactly and as the same tools when they are listed again', async () => {
  const first = await begin()
  const snapshot = configured('s')
  const text =
    '{"name":"te st","inputSchema":{"type":"object","properties":{"n":{"maximum":9007199254740993}}},"annotations":{"readOnlyHint":true},"x":[1.50]}'
  const read = listing('s', parseExactJson(text) as JsonObject)
  first.record(serverOf(snapshot), read)
  await first.close()

  const second = await begin()
  const [tool] = second.of(snapshot)
  expect(tool).toMatchObject({
    name: read.tools[0]?.name,
    originalName: 'te st',
    digest: read.tools[0]?.digest,
    hints: { readOnlyHint: true },
  })
  const known = second.of(snapshot)
  second.record(serverOf(snapshot), listing('s', parseExactJson(text) as JsonObject))
  expect(second.of(snapshot)).toBe(known)
})

test('a listing is written when it differs, and not otherwise', async () => {
  const writes: string[] = []
  const counting = { save: async ({ tools }: { readonly tools: string }) => void writes.push(tools), retain: async () => {} }
  const known = new KnownTools({ stored: [], store: counting, clock: systemClock, logger: silentLogger })
  const snapshot = configured('s')
  for (const tools of [['t'], ['t'], ['u'], ['u']]) known.record(serverOf(snapshot), listing('s', ...tools))
  expect(writes.map((text) => (JSON.parse(text) as JsonObject[])[0]?.name)).toEqual(['t', 'u'])
})

test('a changed configuration keeps the earlier listing until there is a new one; requests on the old one keep theirs', async () => {
  const known = await begin()
  const before = configured('s')
  known.record(serverOf(before), listing('s', 't'))
  const after = snapshotOf({ servers: { s: server('http://127.0.0.1:2/mcp') } })
  expect([namesOf(known, before), namesOf(known, after)]).toEqual([['s__t'], ['s__t']])
  known.record(serverOf(after), listing('s', 'u'))
  expect([namesOf(known, before), namesOf(known, after)]).toEqual([['s__t'], ['s__u']])
})

test('a damaged row is no reason not to start', async () => {
  for (const [name, tools] of [
    ['s', '{"no":"list"}'],
    ['r', '[{"name"'],
    ['q', '[1,{"name":"t","inputSchema":{}}]'],
  ] as const)
    await store.listings.save({ server: name, tools, seen: 1 })
  expect(namesOf(await begin(), configured('s', 'r', 'q'))).toEqual(['q__t'])
})

test('a listing that is too long is known while the process lives, and does not replace the stored one', async () => {
  const known = await begin()
  const snapshot = configured('s')
  known.record(serverOf(snapshot), listing('s', 't'))
  const many = Array.from({ length: 5 }, (_, index) => ({
    name: `u${index}`,
    inputSchema: { type: 'object' },
    description: 'x'.repeat(1_000_000),
  }))
  known.record(serverOf(snapshot), listing('s', ...many))
  expect(known.of(snapshot)).toHaveLength(5)
  await known.close()
  expect(namesOf(await begin(), snapshot)).toEqual(['s__t'])
})

test('a store that fails is told of and stops nothing', async () => {
  const told: unknown[] = []
  const failing = { save: () => Promise.reject(new Error('full')), retain: () => Promise.reject(new Error('full')) }
  const known = new KnownTools({
    stored: [],
    store: failing,
    clock: systemClock,
    logger: { ...silentLogger, error: (...args: unknown[]) => void told.push(args) },
  })
  known.retain(['s'])
  known.record(serverOf(configured('s')), listing('s', 't'))
  await known.close()
  expect(told).toHaveLength(2)
})
