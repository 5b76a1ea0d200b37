/** The misbehaviours of MCP servers the fast suite leaves out, and all of them again, one after the other on one gateway. */
import { afterAll, beforeAll, expect, test } from 'vitest'
import { startGateway } from '../harness/gateway-process.ts'
import { configOf, neighbourServes, runaway, serverReady, serverStatus, startContainment, type Containment } from './runaway-suite.ts'
import { stateOf } from './process-state.ts'

let containment: Containment
beforeAll(async () => {
  containment = await startContainment()
})
afterAll(() => containment?.[Symbol.asyncDispose]())

const tools = [
  'fork_bomb',
  'hog',
  'spin',
  'flood_one_line',
  'flood_lines',
  'flood_pings',
  'flood_changes',
  'flood_stderr',
  'hang',
  'stop_reading',
  'die',
]

test.each(tools)('%s is contained', (tool) => containment.contains(tool, /timeout|unavailable/))

test('twenty rounds of the worst leave nothing behind', async () => {
  const before = stateOf(containment.gateway.pid)
  for (let round = 0; round < 20; round += 1) await containment.contains(tools[round % 4] ?? 'die', /timeout|unavailable/)
  const after = stateOf(containment.gateway.pid)
  console.log(`20 servers ran away; before ${JSON.stringify(before)}, after ${JSON.stringify(after)}`)
  expect(after.descriptors).toBeLessThanOrEqual(before.descriptors + 2)
})

test('a server that never reads is not ready, and its neighbour is', async () => {
  await using other = await startGateway({ config: configOf({ broken: runaway({}, 'deaf'), neighbour: runaway() }) })
  await serverReady(other.url, 'neighbour')
  expect((await serverStatus(other.url, 'broken'))['state']).not.toBe('ready')
  await neighbourServes(other.url)
})
