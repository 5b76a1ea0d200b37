/** `/healthz`: the process answers. `/readyz`: it can do governed work now, and if not, why. */
import type { ServerResponse } from 'node:http'
import type { Snapshot } from '../config/snapshot.ts'
import type { IssuerStatus } from '../identity/ways/token/issuer-keys.ts'
import { troubledUpstreams } from '../models/balancing/showing-health.ts'
import type { ServerStatus } from '../tools/catalogue.ts'
import type { Services } from '../turns/services.ts'
import { lostForMs } from '../turns/sessions/fresh-state.ts'
import type { ClusterMembership } from './joining-cluster.ts'
import type { Whole } from './workers/whole.ts'

export function answerHealth(services: Services, response: ServerResponse, whole?: Whole): void {
  const worker = whole === undefined ? {} : { worker: whole.worker }
  answer(response, 200, { status: 'ok', revision: services.snapshot().revision, ...worker })
}

/** What can be wrong with what everything else stands on; each says why, or nothing. */
export interface Health {
  /** Problems of a configuration that was refused. */
  readonly config: () => string | undefined
  readonly store: () => string | undefined
  readonly state: () => string | undefined
  /** When the shared state lost what it held (Unix milliseconds). */
  readonly lastLoss: () => number | undefined
  /** How those are whose tokens are taken. */
  readonly issuers: () => readonly IssuerStatus[]
  /** When the certificate of the listener expires (Unix milliseconds); undefined without TLS. */
  readonly certificateExpires: () => number | undefined
}

export interface Readiness {
  readonly services: Services
  readonly health: Health
  readonly cluster: ClusterMembership | undefined
  readonly isDraining: boolean
  readonly whole?: Whole | undefined
}

/** Whether governed work can be done now. */
export function isReady({ services, health, isDraining }: Pick<Readiness, 'services' | 'health' | 'isDraining'>): boolean {
  return services.log.health() === undefined && health.state() === undefined && !isDraining && !services.snapshot().managed.holdsCalls
}

/**
 * Not ready while draining, while the decision log or the shared state cannot be used, or while something that restricts calls is missing. A server that is down does not
 * make the gateway unready: its tools are missing, and said to be. Nor does a store that is away for a while: who is known
 * already is served. Whichever worker is asked says what is true of all of them; one that starts takes nothing away.
 */
export async function answerReadiness(
  response: ServerResponse,
  { services, health, cluster, isDraining, whole }: Readiness,
): Promise<void> {
  const audit = services.log.health()
  const state = health.state()
  const store = health.store()
  const staleConfig = health.config()
  const status = await whole?.status().catch(() => undefined)
  const servers = status?.servers ?? services.fleet.status()
  const { managed } = services.snapshot()
  const ready = isReady({ services, health, isDraining })
  answer(response, ready ? 200 : 503, {
    status: ready ? 'ready' : 'not ready',
    revision: services.snapshot().revision,
    ...(isDraining ? { draining: true } : {}),
    ...(audit === undefined ? {} : { audit }),
    ...(state === undefined ? {} : { state }),
    ...(store === undefined ? {} : { store }),
    ...lossOf(services, health.lastLoss()),
    ...issuersOf(health.issuers()),
    ...certificateOf(services, health.certificateExpires()),
    // Anybody may ask: the place is enough to find the text in the log.
    ...(staleConfig === undefined ? {} : { config: `refused: ${firstPlace(staleConfig)}` }),
    ...managedOf(managed),
    ...revisionsOf(cluster),
    ...(status === undefined ? {} : { workers: status.workers }),
    ...missingOf(servers),
    ...upstreamsOf(services),
    servers: servers.map(({ server, state: serverState, detail, tools, isBounded }) => ({
      server,
      state: serverState,
      tools,
      ...(isBounded ? {} : { limits: 'not enforced' }),
      ...(detail === undefined ? {} : { detail }),
    })),
  })
}

/** Until when sessions begin as unknown, because the shared state was emptied. */
function lossOf(services: Services, lostAt: number | undefined): { readonly state_lost?: object } {
  if (lostAt === undefined) return {}
  const until = lostAt + lostForMs(services.snapshot())
  if (services.clock.now() >= until) return {}
  return { state_lost: { at: new Date(lostAt).toISOString(), unknown_until: new Date(until).toISOString() } }
}

/** Issuers that cannot be asked, with why. Nobody is unready for it: whose keys are known is still let in, to the limit that is set. */
function issuersOf(issuers: readonly IssuerStatus[]): { readonly issuers?: Readonly<Record<string, string>> } {
  const away = issuers.flatMap(({ issuer, state, detail }) =>
    state === 'stale' || state === 'unreachable'
      ? [[issuer, `${state === 'stale' ? 'unreachable, its last keys are used' : 'unreachable'}: ${detail ?? ''}`] as const]
      : [],
  )
  return away.length === 0 ? {} : { issuers: Object.fromEntries(away) }
}

/** An expired certificate stops nobody here: whether to believe it is up to each client. */
function certificateOf({ clock }: Services, expires: number | undefined): { readonly certificate?: object } {
  if (expires === undefined) return {}
  return { certificate: { expires: new Date(expires).toISOString(), ...(expires <= clock.now() ? { expired: true } : {}) } }
}

/** Objects that were made over the API and do not go with the file. Anybody may ask: their names are enough. */
function managedOf({ revision, leftOut, holdsCalls }: Snapshot['managed']): { readonly managed?: object } {
  if (leftOut.length === 0) return {}
  return { managed: { revision, left_out: leftOut, ...(holdsCalls ? { calls: 'refused until it is mended' } : {}) } }
}

/** Which replicas run on which configuration, when they do not all run on one. */
function revisionsOf(cluster: ClusterMembership | undefined): { readonly revisions?: Readonly<Record<string, readonly string[]>> } {
  const revisions = new Map<string, string[]>()
  for (const { revision, replica } of cluster?.instances.present ?? []) {
    const replicas = revisions.get(revision) ?? []
    if (!replicas.includes(replica)) revisions.set(revision, [...replicas, replica])
  }
  return revisions.size < 2 ? {} : { revisions: Object.fromEntries(revisions) }
}

/** The servers whose tools cannot be called yet, with why, so that nobody has to know which states mean that. */
function missingOf(servers: readonly ServerStatus[]): { readonly missing?: Readonly<Record<string, string>> } {
  const missing = servers
    .filter(({ state }) => state !== 'ready' && state !== 'asleep')
    .map(({ server, state, detail }): [string, string] => [server, detail ?? state])
  return missing.length === 0 ? {} : { missing: Object.fromEntries(missing) }
}

/** Upstreams that are passed over, with why. Nobody is unready for it: other gateways would find them no better. */
function upstreamsOf({ snapshot, upstreams }: Services): { readonly upstreams?: Readonly<Record<string, string>> } {
  const troubled = troubledUpstreams(snapshot(), upstreams.health)
  return Object.keys(troubled).length === 0 ? {} : { upstreams: troubled }
}

/** `turnward.yaml:12:3` of the first problem. */
function firstPlace(problems: string): string {
  return /^\S+:\d+:\d+/.exec(problems)?.[0] ?? 'see the log'
}

function answer(response: ServerResponse, status: number, body: object): void {
  response.writeHead(status, { 'content-type': 'application/json', 'cache-control': 'no-store' }).end(JSON.stringify(body))
}
