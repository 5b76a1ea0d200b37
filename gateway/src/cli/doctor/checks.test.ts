import { expect, test } from 'vitest'
import type { ServerFacts } from '../../store/postgres/server-facts.ts'
import { managedFindings } from './managed-checks.ts'
import { sandboxFindings } from './sandbox-checks.ts'
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

test('objects made over the API that do not go with the file are told; it is worse where they restrict calls', () => {
  expect(managedFindings({ revision: 0, leftOut: [], holdsCalls: false })).toEqual([])
  expect(managedFindings({ revision: 3, leftOut: [], holdsCalls: false })).toMatchObject([{ level: 'ok' }])
  const leftOut = ['limits/few']
  expect(managedFindings({ revision: 3, leftOut, holdsCalls: false })).toMatchObject([{ level: 'warning' }])
  expect(managedFindings({ revision: 3, leftOut, holdsCalls: true })).toMatchObject([
    { level: 'problem', detail: expect.stringContaining('limits/few') as string },
  ])
})

test('replicas on different configurations are told', () => {
  const one = { instance: 'a', replica: 'a', worker: 0, revision: 'r1', version: '1', chain: 'c', running: 0, started: 0, at: 0 }
  expect(replicaFindings([one, { ...one, replica: 'b' }])).toMatchObject([{ level: 'ok' }])
  expect(replicaFindings([one, { ...one, replica: 'b', revision: 'r2' }])).toMatchObject([
    { level: 'warning', detail: expect.stringContaining('r1, r2') as string },
  ])
})

test('what a sandbox stands on is told up to the first thing that is missing', () => {
  const facts = { problem: undefined, cgroup: 2, canWatch: true, accepting: 0 } as const
  expect(sandboxFindings(facts).map(({ check, level }) => `${check} ${level}`)).toEqual([
    'sandbox: system ok',
    'sandbox: bubblewrap ok',
    'sandbox: util-linux ok',
    'sandbox: namespaces ok',
    'sandbox: system calls ok',
    'sandbox: limits ok',
  ])
  const without = sandboxFindings({ ...facts, problem: { part: 'namespaces', why: 'they are switched off' } })
  expect(without.map(({ check, level }) => `${check} ${level}`)).toEqual([
    'sandbox: system ok',
    'sandbox: bubblewrap ok',
    'sandbox: util-linux ok',
    'sandbox: namespaces problem',
    'sandbox: limits ok',
  ])
  expect(without).toContainEqual(expect.objectContaining({ detail: 'they are switched off' }))
})

test('what bounds a server is told, and how to get a cgroup where there is none', () => {
  const limits = (cgroup: 2 | undefined, canWatch: boolean, accepting = 0): unknown =>
    sandboxFindings({ problem: undefined, cgroup, canWatch, accepting }).at(-1)
  expect(limits(2, false)).toMatchObject({ level: 'ok', detail: expect.stringContaining('cgroup (version 2)') as string })
  expect(limits(undefined, true)).toMatchObject({ level: 'warning', fix: expect.stringContaining('Delegate=memory pids') as string })
  expect(limits(undefined, false)).toMatchObject({ level: 'problem', detail: expect.stringContaining('no server is started') as string })
  expect(limits(undefined, false, 2)).toMatchObject({ level: 'problem', detail: expect.stringContaining('(2), unbounded') as string })
})
