/** `/api/health`: how the gateway is, for who may look. `/readyz` says to anybody whether it is ready; this says what it knows beside. */
import { statfs } from 'node:fs/promises'
import { healthSchema } from '@turnward/contract/api/health'
import { apiRoute, type ApiRoute } from '../admin/api-route.ts'
import { withoutLines } from '../admin/routes/config.ts'
import { newestCheckpoint } from '../audit/newest-checkpoint.ts'
import { troubledUpstreams } from '../models/balancing/showing-health.ts'
import { lostForMs } from '../turns/sessions/fresh-state.ts'
import { replicaFindings } from './doctor/state-checks.ts'
import { healthChecks } from './health-checks.ts'
import { isReady, type Readiness } from './health.ts'
import { version } from './version.ts'

export function healthRoutes(behind: Omit<Readiness, 'isDraining'> & { readonly isDraining: () => boolean }): readonly ApiRoute[] {
  const { services, health, cluster, whole } = behind
  return [
    apiRoute({
      path: '/api/health',
      method: 'GET',
      needs: { role: 'viewer' },
      tag: 'Health',
      summary: 'How the gateway is: what it stands on, and what troubles it',
      answer: healthSchema,
      async run() {
        const snapshot = services.snapshot()
        const { settings, dataDir } = snapshot
        const isDraining = behind.isDraining()
        const lostAt = health.lastLoss()
        const problem = health.config()
        const [checkpoint, disk, waiting, status] = await Promise.all([
          newestCheckpoint(dataDir).catch(() => 'unreadable' as const),
          spaceOf(dataDir),
          services.store.acts.count().catch(() => undefined),
          whole?.status().catch(() => undefined),
        ])
        const checks = healthChecks({
          now: services.clock.now(),
          isDraining,
          log: services.log.health(),
          store: health.store(),
          state: health.state(),
          kinds: { store: settings.store.kind, state: settings.state.kind },
          checkpoint,
          unknownUntil: lostAt === undefined ? undefined : lostAt + lostForMs(snapshot),
          waiting,
          disk,
          config: problem === undefined ? undefined : withoutLines(problem),
          managed: snapshot.managed,
          certificateExpires: health.certificateExpires(),
          issuers: health.issuers(),
          workers: status?.workers,
          servers: status?.servers ?? services.fleet.status(),
          upstreams: { all: snapshot.upstreams.size, troubled: troubledUpstreams(snapshot, services.upstreams.health) },
        })
        const instances = cluster?.instances.present ?? []
        return {
          ready: isReady({ services, health, isDraining }),
          version,
          revision: snapshot.revision,
          checks: [...checks, ...(cluster === undefined ? [] : replicaFindings(instances))],
          processes: instances.map(({ replica, worker, version: its, revision, running, started }) => ({
            replica,
            worker,
            version: its,
            revision,
            running,
            started,
          })),
        }
      },
    }),
  ]
}

async function spaceOf(folder: string): Promise<{ readonly freeBytes: number; readonly allBytes: number } | undefined> {
  const found = await statfs(folder).catch(() => undefined)
  return found && { freeBytes: found.bavail * found.bsize, allBytes: found.blocks * found.bsize }
}
