/**
 * Invariant 10: `export` then `apply` changes nothing, and an edit that is broken changes nothing either, whatever was made over the API
 * before. The running configuration is the same fingerprint then, and there is no new revision.
 */
import { mkdtemp, rm, writeFile } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import fc from 'fast-check'
import { afterAll, beforeAll, expect, test } from 'vitest'
import { createConfiguration, type Change, type Configuration } from '../admin/configuration/configuration.ts'
import { realDisk } from '../config/disk.ts'
import { attemptLoad } from '../config/load.ts'
import { parseManagedObjects, readManagedObjects, type ManagedObjects } from '../config/managed/managed-objects.ts'
import { diskWith, managedSource } from '../config/managed/managed-source.ts'
import { RunningConfig } from '../config/running-config.ts'
import { systemClock } from '../core/clock.ts'
import { isObject, type JsonValue } from '../core/json.ts'
import { silentLogger } from '../core/logger.ts'
import { openStore, type Store } from '../store/store.ts'

const env = { VENDOR_ONE: 'the secret of one vendor', VENDOR_TWO: 'the secret of another' }
let folder: string
let store: Store
let config: RunningConfig
let configuration: Configuration

beforeAll(async () => {
  folder = await mkdtemp(join(tmpdir(), 'turnward-export-'))
  const configPath = join(folder, 'turnward.yaml')
  const file = {
    upstreams: { filed: { kind: 'ollama' } },
    routes: [{ model: 'filed', upstreams: ['filed'] }],
    rules: [{ name: 'filed', when: 'true', verdict: 'warn', reason: 'of the file' }],
    managed: { references: ['VENDOR_*'] },
  }
  await writeFile(configPath, JSON.stringify(file))
  store = await openStore({ kind: 'sqlite', dataDir: join(folder, 'data') })
  const newest = async () => {
    const row = await store.configRevisions.newest()
    return row && { revision: row.revision, objects: parseManagedObjects(row.objects) }
  }
  config = await RunningConfig.open(configPath, env, silentLogger, { managed: { newest } })
  const log = { appendDurably: async () => {}, health: () => undefined }
  configuration = createConfiguration({
    store,
    log,
    config: {
      attempt: async (text) => (await attemptLoad(configPath, env, [managedSource], diskWith(realDisk, text))).outcome,
      reload: (reason) => config.reload(reason),
    },
    snapshot: () => config.current,
    clock: systemClock,
  })
})
afterAll(async () => {
  config?.close()
  await store?.close()
  await rm(folder, { recursive: true, force: true })
})

const change: Change = { by: 'root', reason: undefined, isTrial: false, ifMatch: undefined, ifNoneMatch: undefined }

const name = fc.constantFrom('a', 'b', 'c')
const upstream = fc.record(
  {
    kind: fc.constantFrom('ollama', 'openai'),
    timeout_ms: fc.integer({ min: 1, max: 9 }),
    headers: fc.constant({ 'x-key': 'Bearer ${VENDOR_ONE}' }),
  },
  { requiredKeys: ['kind'] },
)
const route = fc.record({
  upstreams: fc.constantFrom(['filed'], ['filed', { upstream: 'filed', model: 'other' }]),
  description: fc.constantFrom('x', 'y'),
})
const rule = fc.record({
  when: fc.constantFrom('true', "tool.name == 'x'"),
  verdict: fc.constantFrom('deny', 'warn'),
  reason: fc.constantFrom('one', 'two'),
})
const limit = fc.record({
  count: fc.constantFrom('requests', 'tokens'),
  limit: fc.integer({ min: 1, max: 9 }),
  window: fc.constantFrom('1h', '1d'),
})
/** Objects that go with the file. */
const documents = fc
  .record(
    {
      credentials: fc.dictionary(name, fc.record({ secret: fc.constantFrom('${VENDOR_ONE}', '${VENDOR_TWO}') })),
      upstreams: fc.dictionary(name, upstream),
      routes: fc.dictionary(name, route),
      rules: fc.dictionary(name, rule),
      limits: fc.dictionary(name, limit),
      values: fc.dictionary(name, fc.constantFrom(['x'], ['x', 'y'])),
    },
    { requiredKeys: [] },
  )
  .map((objects) => {
    const { routes } = objects
    const named = routes && Object.fromEntries(Object.entries(routes).map(([key, one]) => [key, { model: `m-${key}`, ...one }]))
    return readManagedObjects(JSON.parse(JSON.stringify({ ...objects, ...(named === undefined ? {} : { routes: named }) })))
  })

/** What goes with no configuration, or belongs to the file. */
const broken = fc.constantFrom<(objects: ManagedObjects) => object>(
  (objects) => ({ ...objects, routes: { ...objects['routes'], z: { model: 'z', upstreams: ['nowhere'] } } }),
  (objects) => ({ ...objects, upstreams: { ...objects['upstreams'], filed: { kind: 'openai' } } }),
  (objects) => ({ ...objects, rules: { ...objects['rules'], filed: { when: 'true', verdict: 'deny', reason: 'not of the file' } } }),
  (objects) => ({ ...objects, rules: { ...objects['rules'], z: { when: 'tool.(', verdict: 'deny', reason: 'no condition' } } }),
  (objects) => ({ ...objects, credentials: { ...objects['credentials'], z: { secret: 'correct-horse-battery' } } }),
  (objects) => ({ ...objects, limits: { ...objects['limits'], z: { count: 'requests', limit: -1, window: '1h' } } }),
  (objects) => ({ ...objects, listen: { port: 1 } }),
)

/** The same with the keys of every object the other way round. */
function turned(value: unknown): JsonValue {
  if (Array.isArray(value)) return value.map(turned)
  if (!isObject(value)) return value as JsonValue
  return Object.fromEntries(
    Object.entries(value)
      .toReversed()
      .map(([key, inner]) => [key, turned(inner)]),
  )
}

test('what is exported and applied again, and what is broken, changes nothing', async () => {
  await fc.assert(
    fc.asyncProperty(documents, documents, broken, async (objects, others, breaking) => {
      await configuration.apply(objects, (await configuration.head()).revision, change)
      const exported = JSON.parse(JSON.stringify(await configuration.head())) as { revision: number; objects: object }
      const { revision } = config.current
      expect(exported.objects).toEqual(objects)

      for (const again of [exported.objects, turned(exported.objects)]) {
        const outcome = await configuration.apply(readManagedObjects(again), exported.revision, change)
        expect(outcome).toEqual({ revision: exported.revision, applied: false, changes: [], problems: [] })
      }
      const refused = Promise.resolve().then(() => configuration.apply(readManagedObjects(breaking(objects)), exported.revision, change))
      await expect(refused).rejects.toMatchObject({ code: expect.stringMatching(/^config\.|^request\.invalid$/) })
      expect([await configuration.head(), config.current.revision]).toEqual([exported, revision])

      // There and back again it is what it was, under another number.
      await configuration.apply(others, exported.revision, change)
      await configuration.apply(readManagedObjects(exported.objects), (await configuration.head()).revision, change)
      expect([(await configuration.head()).objects, config.current.revision]).toEqual([objects, revision])
    }),
    { numRuns: 15 },
  )
})
