/**
 * Compares targets in turns (A B A B …), so that what else happens on the machine meets all of them, and takes
 * medians. CPU is what the kernel counted for the target's process, per call it answered.
 */
import { checkCall, runLoad, type LoadPlan, type LoadResult } from './load.ts'
import type { MeasuredProcess } from './measured-process.ts'
import { median } from './statistics.ts'

export interface Pace {
  readonly rounds: number
  readonly roundMs: number
  readonly warmUpMs: number
}

export interface Contestant {
  readonly name: string
  /** The process whose CPU is read; undefined for none, as when the vendor is called directly. */
  readonly process: MeasuredProcess | undefined
  readonly url: string
  readonly request: LoadPlan['request']
  /** What the answer must contain for the measurement to mean anything. */
  readonly marker: string
}

export interface Standing {
  readonly cpuMicros: number
  readonly perSecond: number
  readonly p50: number
  readonly p99: number
  readonly firstByteP50: number
  readonly firstByteP99: number
}

export interface LoadShape {
  readonly connections: number
  readonly rate?: number
}

/** The log is flushed and sockets settle before the clock of a process is read. */
const settleMs = 120

/** Medians per contestant, in their order. Rejects when a contestant answers a call with anything but success. */
export async function compare(contestants: readonly Contestant[], shape: LoadShape, pace: Pace): Promise<readonly Standing[]> {
  for (const contestant of contestants) await checkCall(contestant.url, contestant.request(0, 0), contestant.marker)
  for (const contestant of contestants) await measure(contestant, shape, pace.warmUpMs)
  const taken = contestants.map((): (LoadResult & { cpuMicros: number })[] => [])
  for (let round = 0; round < pace.rounds; round += 1) {
    for (const [index, contestant] of contestants.entries()) taken[index]?.push(await measure(contestant, shape, pace.roundMs))
  }
  return taken.map((results) => ({
    cpuMicros: median(results.map(({ cpuMicros }) => cpuMicros)),
    perSecond: median(results.map(({ perSecond }) => perSecond)),
    p50: median(results.map(({ p50 }) => p50)),
    p99: median(results.map(({ p99 }) => p99)),
    firstByteP50: median(results.map(({ firstByteP50 }) => firstByteP50)),
    firstByteP99: median(results.map(({ firstByteP99 }) => firstByteP99)),
  }))
}

async function measure(
  { name, process: target, url, request }: Contestant,
  shape: LoadShape,
  ms: number,
): Promise<LoadResult & { cpuMicros: number }> {
  const before = target?.cpuMicros() ?? 0
  const result = await runLoad({ url, request, ms, ...shape })
  await new Promise((resolve) => setTimeout(resolve, settleMs))
  const cpu = (target?.cpuMicros() ?? 0) - before
  if (result.errors > 0 || result.count === 0) throw new Error(`${name} failed ${result.errors} calls and answered ${result.count}`)
  return { ...result, cpuMicros: cpu / result.count }
}
