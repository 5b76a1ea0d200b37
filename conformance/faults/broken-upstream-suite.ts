/** Runs a list of breaks against one gateway, which must come to hold what it held before: sockets, timers, and memory within a tolerance. */
import { expect } from 'vitest'
import { governedConfig, secretEnv } from '../harness/governed-config.ts'
import { startGateway } from '../harness/gateway-process.ts'
import { until, within } from '../harness/until.ts'
import { breakAsAsked, callThrough, problemWith, recordingOf, type Break } from './broken-upstreams.ts'
import { inspect, inspectable, type Inside } from './inspection.ts'
import { stateOf, type ProcessState } from './process-state.ts'
import { startTcpVendor, type TcpVendor } from './tcp-vendor.ts'
import { type Wire, wireNames, wireOf } from './breaking-wires.ts'
import { inParallel } from './in-parallel.ts'

export interface Balance {
  readonly calls: number
  readonly before: ProcessState & Inside
  readonly after: ProcessState & Inside
}

/**
 * Runs every break once, so many at a time; throws with all problems. The first `warmUp` breaks come before the baseline is
 * taken, so that code and caches which every process builds once are not counted.
 */
export async function runBreaks(
  breaks: readonly Break[],
  { width, warmUp, toleranceMb }: { readonly width: number; readonly warmUp: number; readonly toleranceMb: number },
): Promise<Balance> {
  await using kept = new AsyncDisposableStack()
  const vendors = new Map<Wire, TcpVendor>()
  for (const wire of wireNames) {
    const vendor = kept.use(await startTcpVendor())
    vendor.respond(breakAsAsked(wire))
    vendors.set(wire, vendor)
  }
  const open = (): number => [...vendors.values()].reduce((sum, vendor) => sum + vendor.open.size, 0)
  const config = governedConfig({ openai: '', anthropic: '' })
  const impatient = { idle_timeout_ms: 1000, timeout_ms: 1000 }
  const upstreams = Object.fromEntries([...vendors].map(([wire, { url }]) => [wire, { ...wireOf(wire).upstream(url), ...impatient }]))
  const routes = wireNames.map((wire) => ({ model: wireOf(wire).model, upstreams: [wire] }))
  // Few sessions: what a session keeps is not what is measured here.
  await using gateway = await startGateway({
    config: { ...config, upstreams, routes, turns: { max_sessions: 100 } },
    env: { ...secretEnv, ...inspectable },
  })
  const inspector = await inspect(gateway)
  const problems: string[] = []
  const run = async (one: Break): Promise<void> => {
    const what = `${one.client} <- ${one.upstream}, ${one.fault} at ${one.at} of ${recordingOf(one.upstream, one.fault).bytes.length}`
    try {
      const problem = problemWith(one, await within(what, callThrough(gateway.url, one)))
      if (problem !== undefined) problems.push(`${what}: ${problem}`)
    } catch (error) {
      problems.push(`${what}: ${String(error)}`)
    }
  }
  const settled = async (): Promise<ProcessState & Inside> => {
    // Upstream connections of broken answers are closed by whoever noticed; the inspector's own connection stays.
    await until('the end of every connection to the vendors', () => (open() === 0 ? true : undefined))
    return { ...stateOf(gateway.pid), ...(await inspector.look()) }
  }
  await inParallel(breaks.slice(0, warmUp), width, run)
  const before = await settled()
  await inParallel(breaks.slice(warmUp), width, run)
  // The vendors see a connection end before the gateway has closed its side of it, and clients' connections end on their own.
  let after = before
  try {
    await until('the balance of the gateway', async () => {
      after = await settled()
      return isBalanced(before, after, toleranceMb) ? true : undefined
    })
  } catch (error) {
    throw new Error(`the gateway held ${JSON.stringify(before)}, and holds ${JSON.stringify(after)}`, { cause: error })
  }
  inspector.close()
  expect(problems.slice(0, 20), `${problems.length} of ${breaks.length}`).toEqual([])
  return { calls: breaks.length, before, after }
}

function isBalanced(before: Balance['before'], after: Balance['after'], toleranceMb: number): boolean {
  return (
    after.sockets <= before.sockets &&
    after.connections <= before.connections &&
    // A timer or two of caches and of batches may be under way.
    after.timers <= before.timers + 2 &&
    after.heapMb < before.heapMb + toleranceMb &&
    after.buffersMb < before.buffersMb + toleranceMb &&
    after.residentMb < before.residentMb + 250
  )
}
