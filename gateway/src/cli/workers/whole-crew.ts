/** Answers for all workers together: each is asked, and what they say is added up. */
import type { MetricData } from '@opentelemetry/sdk-metrics'
import { addMetrics, lastingOf } from '../../telemetry/adding-metrics.ts'
import type { Telemetry } from '../../telemetry/telemetry.ts'
import type { Crew } from './crew.ts'
import type { LinkHandler } from './link.ts'
import { worstOf, type WholeStatus, type WorkerReport } from './whole.ts'
import type { WorkerProcess } from './worker-process.ts'

/** Whoever scrapes waits no longer; who has not answered by then is counted as it was last. */
const reportMs = 1000

export class WholeCrew {
  readonly #crew: Crew
  readonly #size: number
  readonly #telemetry: Telemetry
  /** What each worker that lives said last. */
  readonly #last = new Map<WorkerProcess, WorkerReport>()
  /** What workers that are gone have counted: a sum never goes back. */
  #gone: readonly MetricData[] = []

  constructor(crew: Crew, size: number, telemetry: Telemetry) {
    this.#crew = crew
    this.#size = size
    this.#telemetry = telemetry
  }

  /** What workers may ask for. */
  handlers(): Readonly<Record<string, LinkHandler>> {
    return {
      metrics: async () => ({ head: null, texts: [await this.#metricsText()] }),
      status: async () => ({ head: await this.#status() }),
    }
  }

  /** The worker is gone; what it counted stays, as far as anybody was told of it. */
  forget(worker: WorkerProcess): void {
    const last = this.#last.get(worker)
    this.#last.delete(worker)
    if (last !== undefined) this.#gone = addMetrics([this.#gone, lastingOf(last.metrics)])
  }

  async #metricsText(): Promise<string> {
    const reports = await this.#reports()
    return this.#telemetry.metricsText([this.#gone, ...reports.map(({ metrics }) => metrics)])
  }

  async #status(): Promise<WholeStatus> {
    const reports = await this.#reports()
    return { workers: { ready: this.#crew.ready.length, wanted: this.#size }, servers: worstOf(reports) }
  }

  async #reports(): Promise<WorkerReport[]> {
    const reports = await Promise.all(this.#crew.ready.map((member) => this.#reportOf(member)))
    return reports.filter((report) => report !== undefined)
  }

  async #reportOf(member: WorkerProcess): Promise<WorkerReport | undefined> {
    try {
      const report = (await member.link.ask('report', { head: null }, reportMs)).head as WorkerReport
      // One that ended meanwhile has been added up already.
      if (member.isReady) this.#last.set(member, report)
      return report
    } catch {
      return this.#last.get(member)
    }
  }
}
