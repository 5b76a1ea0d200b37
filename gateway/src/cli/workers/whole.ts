/** What is true of all workers together, whichever of them is asked. */
import type { MetricData } from '@opentelemetry/sdk-metrics'
import type { ServerStatus } from '../../tools/catalogue.ts'

/** How many processes answer requests, of how many that should. */
export interface WorkerCount {
  readonly ready: number
  readonly wanted: number
}

export interface WholeStatus {
  readonly workers: WorkerCount
  /** Each server as it is where it is worst. */
  readonly servers: readonly ServerStatus[]
}

export interface Whole {
  /** Which of the workers this process is, from 0. */
  readonly worker: number
  /** Prometheus text exposition of all together. */
  metricsText(): Promise<string>
  status(): Promise<WholeStatus>
}

/** What a worker says of itself when it is asked. */
export interface WorkerReport {
  readonly metrics: readonly MetricData[]
  readonly servers: readonly ServerStatus[]
}

/** A server is ready where it is at every worker; otherwise the first that says why not speaks for all. */
export function worstOf(reports: readonly WorkerReport[]): ServerStatus[] {
  const worst = new Map<string, ServerStatus>()
  for (const status of reports.flatMap(({ servers }) => servers)) {
    const known = worst.get(status.server)
    if (known === undefined || (known.state === 'ready' && (status.state !== 'ready' || status.tools < known.tools)))
      worst.set(status.server, status)
  }
  return [...worst.values()]
}
