import { mkdtempSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterEach, beforeEach, describe, expect, test } from 'vitest'
import { newestCheckpoint } from '../audit/newest-checkpoint.ts'
import { healthChecks, type HealthFacts } from './health-checks.ts'

const now = Date.parse('2026-11-01T00:00:00Z')
const day = 86_400_000
const checkpoint = { chain: 'c', seq: 7, hash: 'h', time: now - day, count: 7, signature: 's' }
const well: HealthFacts = {
  now,
  isDraining: false,
  log: undefined,
  store: undefined,
  state: undefined,
  kinds: { store: 'sqlite', state: 'memory' },
  checkpoint,
  unknownUntil: undefined,
  waiting: 0,
  disk: { freeBytes: 50 * 2 ** 30, allBytes: 100 * 2 ** 30 },
  config: undefined,
  managed: { revision: 0, leftOut: [], holdsCalls: false },
  certificateExpires: now + 90 * day,
  issuers: [{ issuer: 'acme', state: 'ready' }],
  workers: { ready: 2, wanted: 2 },
  servers: [],
  upstreams: { all: 1, troubled: {} },
}
const unwell = (parts: Partial<HealthFacts>) => healthChecks({ ...well, ...parts }).filter(({ level }) => level !== 'ok')

test('where all is well nothing is to be looked at, and each thing is there once', () => {
  expect(unwell({})).toEqual([])
  const names = healthChecks(well).map(({ check }) => check)
  expect(names).toEqual([
    'decision log',
    'checkpoint',
    'store',
    'state',
    'disk',
    'configuration',
    'certificate',
    'issuer acme',
    'workers',
    'upstreams',
  ])
})

test.each<[string, Partial<HealthFacts>, string, 'warning' | 'problem']>([
  ['it drains', { isDraining: true }, 'draining', 'warning'],
  ['the log cannot be written', { log: 'no space' }, 'decision log', 'problem'],
  ['checkpoints cannot be read', { checkpoint: 'unreadable' }, 'checkpoint', 'warning'],
  ['the command line is not on record', { waiting: 2 }, 'administration', 'warning'],
  ['nobody knows whether it is', { waiting: undefined }, 'administration', 'warning'],
  ['the store is away', { store: 'gone' }, 'store', 'problem'],
  ['the state is away', { state: 'gone' }, 'state', 'problem'],
  ['the state was emptied', { unknownUntil: now + 1 }, 'sessions', 'warning'],
  ['a disk is nearly full', { disk: { freeBytes: 4 * 2 ** 30, allBytes: 100 * 2 ** 30 } }, 'disk', 'warning'],
  ['a disk is full', { disk: { freeBytes: 2 ** 20, allBytes: 2 ** 30 } }, 'disk', 'problem'],
  ['the disk cannot be seen', { disk: undefined }, 'disk', 'warning'],
  ['a configuration was refused', { config: 'turnward.yaml:1:1 no' }, 'configuration', 'warning'],
  ['objects are left out', { managed: { revision: 1, leftOut: ['limits/a'], holdsCalls: false } }, 'managed objects', 'warning'],
  ['one of them restricts calls', { managed: { revision: 1, leftOut: ['rules/a'], holdsCalls: true } }, 'managed objects', 'problem'],
  ['a certificate ends soon', { certificateExpires: now + day }, 'certificate', 'warning'],
  ['it has ended', { certificateExpires: now }, 'certificate', 'problem'],
  ['old keys of an issuer are used', { issuers: [{ issuer: 'acme', state: 'stale' }] }, 'issuer acme', 'warning'],
  ['it has no keys', { issuers: [{ issuer: 'acme', state: 'unreachable', detail: 'refused' }] }, 'issuer acme', 'problem'],
  ['a process has ended', { workers: { ready: 1, wanted: 2 } }, 'workers', 'warning'],
  ['an upstream is passed over', { upstreams: { all: 1, troubled: { u: 'it fails' } } }, 'upstreams', 'warning'],
])('when %s, that stands there with what to do', (_what, parts, check, level) => {
  const found = unwell(parts)
  expect(found).toMatchObject([{ check, level }])
  if (!parts.isDraining) expect(found[0]?.fix).toMatch(/\.$|`/)
})

test('a server that is down is named, with why', () => {
  const servers = [
    { server: 'mail', state: 'ready', tools: 2, isBounded: true },
    { server: 'web', state: 'failed', detail: 'it ended', tools: 0, isBounded: true },
  ] as unknown as HealthFacts['servers']
  expect(unwell({ servers })).toMatchObject([{ check: 'servers', level: 'warning', detail: '1 of 2 can be called. web: it ended' }])
})

describe('the newest checkpoint of a folder', () => {
  let folder: string
  beforeEach(() => {
    folder = mkdtempSync(join(tmpdir(), 'turnward-checkpoints-'))
  })
  afterEach(() => rmSync(folder, { recursive: true, force: true }))
  const line = (parts: object): string => `${JSON.stringify({ ...checkpoint, ...parts })}\n`

  test('is the last whole line of whichever process signed last', async () => {
    writeFileSync(join(folder, 'checkpoints-0.jsonl'), `${line({ seq: 1, time: 1 }).repeat(500)}${line({ seq: 2, time: 2 })}`)
    writeFileSync(join(folder, 'checkpoints-1.jsonl'), `${line({ seq: 9, time: 3 })}{"chain":"c","se`)
    writeFileSync(join(folder, 'other.jsonl'), line({ seq: 10, time: 9 }))
    expect(await newestCheckpoint(folder)).toMatchObject({ seq: 9, time: 3 })
  })

  test('is none where there is none, no folder or no whole line', async () => {
    expect(await newestCheckpoint(folder)).toBeUndefined()
    expect(await newestCheckpoint(join(folder, 'gone'))).toBeUndefined()
    writeFileSync(join(folder, 'checkpoints.jsonl'), 'no checkpoint\n{')
    expect(await newestCheckpoint(folder)).toBeUndefined()
  })
})
