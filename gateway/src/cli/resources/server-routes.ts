/** `/api/servers`: the servers of the configuration, how they are and why, and starting one anew. */
import { restartSchema, serverDetailSchema, serversSchema } from '@turnward/contract/api/servers'
import { actRecorder } from '../../admin/administration-record.ts'
import { apiRoute, type ApiRoute } from '../../admin/api-route.ts'
import { publicUrl } from '../../config/public-url.ts'
import type { McpServer, Snapshot } from '../../config/snapshot.ts'
import { TurnwardError } from '../../core/error.ts'
import type { ServerStatus } from '../../tools/catalogue.ts'
import { replicaRunning } from '../../tools/fleet/cluster-child.ts'
import type { Services } from '../../turns/services.ts'
import { spelledOut } from '../reviewing/definition-diff.ts'
import { longestRestartMs, requestRestart } from '../servers/requesting-restart.ts'
import type { Whole } from '../workers/whole.ts'
import { lastLines, linksOf, placesOf, shownServer } from './showing-servers.ts'

/** `whole`: what is true of all processes of this gateway, where there are several. */
export function serverRoutes(services: Services, whole: Whole | undefined): readonly ApiRoute[] {
  const { snapshot, store, clock, fleet, vault, state, secret, people } = services
  const record = actRecorder(services)
  const tag = 'Servers'
  const statuses = async (): Promise<ReadonlyMap<string, ServerStatus>> => {
    const all = (await whole?.status().catch(() => undefined))?.servers ?? fleet.status()
    return new Map(all.map((status) => [status.server, status]))
  }
  return [
    apiRoute({
      path: '/api/servers',
      method: 'GET',
      needs: { role: 'viewer' },
      tag,
      summary: 'MCP servers and REST APIs of the configuration, and how they are',
      answer: serversSchema,
      async run() {
        const [now, known] = [snapshot(), await statuses()]
        return { servers: [...now.servers.values()].map((server) => shownServer(now, server, known.get(server.name), clock.now())) }
      },
    }),
    apiRoute({
      path: '/api/servers/{name}',
      method: 'GET',
      needs: { role: 'viewer' },
      tag,
      summary: 'One of them: where it is configured, how it is shut in, what it wrote last, whose accounts are connected',
      answer: serverDetailSchema,
      async run({ administrator: { id: person, roles }, parameters: { name = '' } }) {
        const now = snapshot()
        const server = serverOf(now, name)
        const status = (await statuses()).get(name)
        const isCluster = server.config.transport === 'stdio' && server.config.per === 'cluster'
        const places = { publicUrl: () => publicUrl(now), now: () => clock.now(), secret }
        const isHuman = (await people.principal(person, now)).kind === 'human'
        return {
          ...shownServer(now, server, status, clock.now()),
          ...placesOf(now, server, status?.isBounded ?? true),
          replica: isCluster ? ((await replicaRunning(state, name, server.digest)) ?? null) : null,
          ...(await linksOf(server, { vault, places, person, isHuman, isAdmin: roles.includes('admin') })),
          lines: await lastLines(now.dataDir, server),
        }
      },
    }),
    apiRoute({
      path: '/api/servers/{name}/restart',
      method: 'POST',
      needs: { role: 'operator' },
      tag,
      summary: 'Ends a server at every process of this gateway, with the calls in it, and starts it anew',
      answer: restartSchema,
      async run({ administrator, parameters: { name = '' } }) {
        serverOf(snapshot(), name)
        // Nothing is done that cannot be recorded.
        const reason = `Restarts the server ${name}.`
        await record(administrator, { act: 'servers.restart', subject: `server ${name}`, rules: ['role operator'], reason })
        const outcomes = await requestRestart(store.restarts, { server: name, asked: clock.now(), by: administrator.id }, longestRestartMs)
        if (outcomes === undefined) throw new TurnwardError('server.not_answered', { subject: name })
        const processes = outcomes.map(({ process, outcome }) => ({ process, outcome: outcome === undefined ? null : spelledOut(outcome) }))
        return { server: name, ok: processes.every(({ outcome }) => outcome === 'ready'), processes }
      },
    }),
  ]
}

function serverOf({ servers }: Snapshot, name: string): McpServer {
  const server = servers.get(name)
  if (server === undefined) throw new TurnwardError('server.not_found', { subject: name.slice(0, 128) })
  return server
}
