/** What other processes have told of one upstream. What this one has found out itself counts before it. */
import { graceMs, type SharedTrouble, type SharedView } from '../../state/shared-upstreams.ts'

export class LearnedHealth {
  #views: readonly SharedView[] = []

  replace(views: readonly SharedView[]): void {
    this.#views = views
  }

  get running(): number {
    return this.#views.reduce((sum, { running }) => sum + running, 0)
  }

  /** What they have measured on average; undefined where none has. */
  latency(model: string, isStream: boolean): number | undefined {
    const all = this.#views.flatMap(({ latencies }) => {
      const found = latencies.find((one) => one.model === model)
      const ms = isStream ? found?.streamMs : found?.wholeMs
      return ms === undefined ? [] : [ms]
    })
    return all.length === 0 ? undefined : all.reduce((sum, ms) => sum + ms, 0) / all.length
  }

  hasCooldowns(model: string, now: number): boolean {
    return this.troubles(now).some((one) => one.kind === 'throttled' && one.model === model)
  }

  /** `answeredAt`: when it answered here last, which says more than what others found before. */
  trouble(model: string, credential: string | undefined, now: number, answeredAt: number): SharedTrouble | undefined {
    return this.troubles(now).find(
      (one) =>
        one.model === model &&
        (one.kind === 'failing' ? one.since > answeredAt : credential !== undefined && one.credential === credential),
    )
  }

  troubles(now: number): readonly SharedTrouble[] {
    if (this.#views.length === 0) return []
    return this.#views.flatMap(({ troubles }) => troubles.filter(({ kind, until }) => until + (kind === 'failing' ? graceMs : 0) > now))
  }
}
