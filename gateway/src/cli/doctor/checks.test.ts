import { expect, test } from 'vitest'
import type { ServerFacts } from '../../store/postgres/server-facts.ts'
import { networkFindings } from './network-checks.ts'
import { replicaFindings } from './state-checks.ts'
import { postgresFindings } from './store-checks.ts'

const sound: ServerFacts = { version: '15.6', connections: 97, used: 3, now: 0, mayChangeRecords: false, isDurable: true }

const levels = (facts: Partial<ServerFacts>, pool = 10, processes = 3, skewMs = 0): Record<string, string> =>
  Object.fromEntries(postgresFindings({ ...sound, ...facts }, pool, processes, skewMs).map(({ check, level }) => [check, level]))

test('a sound server is found sound', () => {
  expect(new Set(Object.values(levels({})))).toEqual(new Set(['ok']))
})

test('connections are counted for every process, and one more for a rolling restart', () => {
  expect(levels({}, 10, 7)).toMatchObject({ connections: 'ok' })
  expect(levels({}, 10, 8)).toMatchObject({ connections: 'warning' })
  expect(levels({}, 10, 9)).toMatchObject({ connections: 'problem' })
  expect(levels({ connections: 20 }, 30, 1)).toMatchObject({ connections: 'problem' })
})

test('a role that may change records, commits that do not wait, and clocks that differ are told', () => {
  expect(levels({ mayChangeRecords: true })).toMatchObject({ 'log role': 'warning' })
  expect(levels({ isDurable: false })).toMatchObject({ durability: 'problem' })
  expect(levels({}, 10, 1, -31_000)).toMatchObject({ clocks: 'warning' })
  expect(levels({}, 10, 1, 301_000)).toMatchObject({ clocks: 'problem' })
})

test('replicas on different configurations are told', () => {
  const one = { instance: 'a', replica: 'a', worker: 0, revision: 'r1', version: '1', chain: 'c', running: 0, started: 0, at: 0 }
  expect(replicaFindings([one, { ...one, replica: 'b' }])).toMatchObject([{ level: 'ok' }])
  expect(replicaFindings([one, { ...one, replica: 'b', revision: 'r2' }])).toMatchObject([
    { level: 'warning', detail: expect.stringContaining('r1, r2') as string },
  ])
})

test('what a server was refused is told with the line that would allow it, until it is allowed', () => {
  const plain = { host: 'api.example', port: 443, why: 'not listed', add: '"api.example:443"' }
  const named = { host: 'git.corp.example', port: 443, why: 'not public', add: '{ host: "git.corp.example:443", private: true }' }
  const service = { host: 'db.corp.example', port: 5432, why: 'not public', add: '{ tcp: "db.corp.example:5432", private: true }' }
  const never = { host: '169.254.169.254', port: 80, why: 'not listed' }
  const [finding, ...others] = networkFindings('crm', [], [plain, named, service, never])
  expect(others).toEqual([])
  expect(finding?.detail).toContain('api.example:443, git.corp.example:443, db.corp.example:5432')
  for (const { add } of [plain, named, service]) expect(finding?.fix).toContain(`- ${add}`)
  expect(finding?.fix).not.toContain('169.254')
  const half = ['api.example:443', 'git.corp.example:443', { tcp: 'db.corp.example:5432', private: false }]
  expect(networkFindings('crm', half, [plain, named, service])[0]?.detail).toMatch(/: git\.corp\.example:443, db\.corp\.example:5432$/)
  const all = ['api.example:443', { host: '*.corp.example', private: true }, { tcp: 'db.corp.example:5432', private: true }]
  expect(networkFindings('crm', all, [plain, named, service, never])).toEqual([])
})
