/** MCP servers that use up or break whatever they can: contained, told in /readyz, their neighbour served, nothing left behind. More are in `hostile-children.slow.ts`. */
import { randomUUID } from 'node:crypto'
import { afterAll, beforeAll, describe, expect, test } from 'vitest'
import { startGateway } from '../harness/gateway-process.ts'
import { until, within } from '../harness/until.ts'
import { processesWith } from './process-state.ts'
import {
  callTool,
  configOf,
  neighbourServes,
  runaway,
  serverReady,
  serverStatus,
  startContainment,
  type Containment,
} from './runaway-suite.ts'

let containment: Containment
beforeAll(async () => {
  containment = await startContainment()
})
afterAll(() => containment?.[Symbol.asyncDispose]())

test.each([
  ['fork_bomb', /timeout|unavailable/],
  ['hog', /timeout|unavailable/],
  ['flood_one_line', /timeout/],
  ['flood_pings', /timeout|unavailable/],
  ['hang', /timeout/],
  ['die', /unavailable/],
])('%s is contained', (tool, code) => containment.contains(tool, code))

describe('a server that is none from the start', () => {
  test('a crash loop is told, and tried ever more slowly', async () => {
    await using other = await startGateway({ config: configOf({ broken: runaway({}, 'dying'), neighbour: runaway() }) })
    await until('the crash loop', async () =>
      /failed \d+ times/.test(String((await serverStatus(other.url, 'broken'))['detail'])) ? true : undefined,
    )
    await neighbourServes(other.url)
  })

  test('one that never answers is not ready, its neighbour is, and the gateway still stops', async () => {
    const mark = `mute-${randomUUID()}`
    await using other = await startGateway({ config: configOf({ broken: runaway({ env: { MARK: mark } }, 'mute'), neighbour: runaway() }) })
    await serverReady(other.url, 'neighbour')
    const status = await serverStatus(other.url, 'broken')
    expect(status).toMatchObject({ tools: 0 })
    expect(status['state']).not.toBe('ready')
    await neighbourServes(other.url)
    expect(processesWith(mark).length).toBeGreaterThan(0)
    expect(await within('the stop', other.stop())).toBe(0)
    expect(processesWith(mark)).toEqual([])
  })
})

// Without a sandbox nobody can find a grandchild of another session once the gateway itself was killed.
test.each([
  ['bubblewrap', 'SIGTERM'],
  ['bubblewrap', 'SIGKILL'],
  ['process', 'SIGTERM'],
] as const)('grandchildren of a server run by %s do not outlive the gateway (%s)', async (runner, signal) => {
  const mark = `orphan-${randomUUID()}`
  const server = runaway({ env: { MARK: mark }, runner, ...(runner === 'process' ? { unsafe_no_sandbox: true } : {}) })
  await using other = await startGateway({ config: configOf({ left: server }) })
  await serverReady(other.url, 'left')
  expect((await callTool(other.url, 'left__orphan')).message['result']).toMatchObject({ content: [{ text: 'left' }] })
  await until('the grandchildren', () => (processesWith(mark).length > 3 ? true : undefined))
  await other.stop(signal)
  await until('the end of every process', () => (processesWith(mark).length === 0 ? true : undefined))
})
