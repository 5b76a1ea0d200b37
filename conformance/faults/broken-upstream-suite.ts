/** Runs a list of breaks against one gateway and compares what it holds afterwards with what it held before. */
import { expect } from 'vitest'
import { governedConfig, secretEnv } from '../harness/governed-config.ts'
import { startGateway } from '../harness/gateway-process.ts'
import { until } from '../harness/until.ts'
import { breakAsAsked, callThrough, problemWith, recordingOf, type Break } from './broken-upstreams.ts'
import { inspect, inspectable, type Inside } from './inspection.ts'
import { stateOf, type ProcessState } from './process-state.ts'
import { startTcpVendor } from './tcp-vendor.ts'
import { inParallel, within } from './within.ts'

export interface Balance {
  readonly calls: number
  readonly before: ProcessState & Inside
  readonly after: ProcessState & Inside
}

/** The gateway keeps a connection of a whole answer for the next call, 30 seconds at most. */
const idleConnectionMs = 40_000

/**
 * Runs every break once, so many at a time; throws with all problems. The first `warmUp` breaks come before the baseline is
 * taken, so that code and caches which every process builds once are not counted.
 */
export async function runBreaks(
  breaks: readonly Break[],
  { width, warmUp }: { readonly width: number; readonly warmUp: number },
): Promise<Balance> {
  await using openai = await startTcpVendor()
  await using anthropic = await startTcpVendor()
  openai.respond(breakAsAsked('openai'))
  anthropic.respond(breakAsAsked('anthropic'))
  const config = governedConfig({ openai: openai.url, anthropic: anthropic.url })
  const upstreams = Object.fromEntries(
    Object.entries(config['upstreams'] ?? {}).map(([name, upstream]: [string, object]) => [
      name,
      { ...upstream, idle_timeout_ms: 150, timeout_ms: 150 },
    ]),
  )
  // Few sessions: what a session keeps is not what is measured here.
  await using gateway = await startGateway({
    config: { ...config, upstreams, turns: { max_sessions: 100 } },
    env: { ...secretEnv, ...inspectable },
  })
  const inspector = await inspect(gateway)
  const problems: string[] = []
  const run = async (one: Break): Promise<void> => {
    const what = `${one.client} <- ${one.upstream}, ${one.fault} at ${one.at} of ${recordingOf(one.upstream, one.fault).bytes.length}`
    try {
      const problem = problemWith(one, await within(10_000, what, callThrough(gateway.url, one)))
      if (problem !== undefined) problems.push(`${what}: ${problem}`)
    } catch (error) {
      problems.push(`${what}: ${String(error)}`)
    }
  }
  const settled = async (): Promise<ProcessState & Inside> => {
    // Upstream connections of broken answers are closed by whoever noticed; the inspector's own connection stays.
    await until(
      'the end of every connection to the vendors',
      () => (openai.open.size + anthropic.open.size === 0 ? true : undefined),
      idleConnectionMs,
    )
    return { ...stateOf(gateway.pid), ...(await inspector.look()) }
  }
  await inParallel(breaks.slice(0, warmUp), width, run)
  const before = await settled()
  await inParallel(breaks.slice(warmUp), width, run)
  // The vendors see a connection end before the gateway has closed its side of it, and clients' connections end on their own.
  const after = await until(
    'the sockets of the gateway to be those it had before',
    async () => {
      const now = await settled()
      return now.sockets <= before.sockets && now.connections <= before.connections ? now : undefined
    },
    idleConnectionMs,
  )
  inspector.close()
  expect(problems.slice(0, 20), `${problems.length} of ${breaks.length}`).toEqual([])
  return { calls: breaks.length, before, after }
}

/** Throws unless the gateway holds what it held before: the very same sockets and timers, and memory within the tolerance. */
export function expectBalanced({ before, after }: Balance, heapToleranceMb: number): void {
  expect(after.sockets).toBeLessThanOrEqual(before.sockets)
  expect(after.connections).toBeLessThanOrEqual(before.connections)
  // A timer or two of caches and of batches may be under way.
  expect(after.timers).toBeLessThanOrEqual(before.timers + 2)
  expect(after.heapMb).toBeLessThan(before.heapMb + heapToleranceMb)
  expect(after.buffersMb).toBeLessThan(before.buffersMb + heapToleranceMb)
  expect(after.residentMb).toBeLessThan(before.residentMb + 250)
}
