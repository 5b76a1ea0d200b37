/** The upstreams of this process, with what is measured and told of how they are. */
import type { Snapshot } from '../config/snapshot.ts'
import { systemClock } from '../core/clock.ts'
import { randomText } from '../core/ids.ts'
import type { Logger } from '../core/logger.ts'
import { SharedHealth } from '../models/balancing/sharing-health.ts'
import { Upstreams } from '../models/upstreams.ts'
import type { StateStore } from '../state/state-store.ts'
import type { Telemetry } from '../telemetry/telemetry.ts'

export function watchedUpstreams(telemetry: Telemetry, snapshot: () => Snapshot): Upstreams {
  const { logger } = telemetry
  const upstreams = new Upstreams({
    onSign: (upstream, sign) => telemetry.count('turnward_upstream_answers_total', { upstream, sign }),
    onTurn: (upstream, model, trouble) => {
      if (trouble === undefined) logger.info({ upstream, model }, 'an upstream answers again')
      else if (trouble.kind === 'throttled') logger.info({ upstream, model, why: trouble.why }, 'an upstream has no room for now')
      else logger.warn({ upstream, model, why: trouble.why }, 'an upstream is passed over for a while')
    },
  })
  const { health } = upstreams
  const each = (read: (upstream: Parameters<typeof health.running>[0]) => number) => () =>
    [...snapshot().upstreams.values()].map((upstream) => [upstream.name, read(upstream)] as const)
  telemetry.observeEach(
    'turnward_upstream_running',
    'upstream',
    each((upstream) => health.running(upstream)),
  )
  telemetry.observeEach(
    'turnward_upstream_available',
    'upstream',
    each((upstream) => (health.troubles(upstream).some(({ model }) => model === undefined) ? 0 : 1)),
  )
  telemetry.observeEach(
    'turnward_upstream_first_byte_seconds',
    'upstream',
    // What was never measured is not shown.
    each((upstream) => Math.max(...health.measured(upstream).flatMap(({ streamMs }) => (streamMs === undefined ? [] : [streamMs / 1000])))),
  )
  return upstreams
}

interface Sharing {
  readonly upstreams: Upstreams
  readonly state: StateStore
  readonly snapshot: () => Snapshot
  readonly logger: Logger
}

/** Where there are other processes: what upstreams have said to one of them is known to all. */
export function shareHealth({ upstreams: { health }, state, snapshot, logger }: Sharing): { readonly close: () => Promise<void> } {
  if (state.listen === undefined) return { close: async () => {} }
  const shared = new SharedHealth({ state, health, snapshot, clock: systemClock, logger, self: randomText(12) })
  shared.begin()
  return { close: async () => shared.close() }
}
