/** Servers of the configuration as administrators are shown them. Nothing of it is a secret; what a server has written is spelled out. */
import type { serverDetailSchema, shownServerSchema } from '@turnward/contract/api/servers'
import { join } from 'node:path'
import type { z } from 'zod'
import { linkAddress, type LinkPlaces } from '../../identity/on-behalf/link-needed.ts'
import { linkPlace, readLink, readSecret, secretPlace } from '../../identity/on-behalf/link.ts'
import { personalAuthOf } from '../../identity/on-behalf/personal-auth.ts'
import type { Vault } from '../../identity/vault/vault.ts'
import type { McpServer, Snapshot } from '../../config/snapshot.ts'
import type { ServerStatus } from '../../tools/catalogue.ts'
import { spelledOut } from '../reviewing/definition-diff.ts'
import { keptLines } from '../servers/kept-lines.ts'
import { gatewaysOf } from '../servers/listing-servers.ts'

type ShownServer = z.input<typeof shownServerSchema>
type Detail = z.input<typeof serverDetailSchema>

const mostLines = 100

/** `status`: how it is; undefined where no process knows it yet. `at`: now, in Unix milliseconds. */
export function shownServer(snapshot: Snapshot, { name, config }: McpServer, status: ServerStatus | undefined, at: number): ShownServer {
  const { auth } = config
  return {
    server: name,
    transport: config.transport,
    state: status?.state ?? 'idle',
    why: status === undefined ? 'it has not been started' : status.detail === undefined ? null : spelledOut(status.detail),
    since: status?.since ?? at,
    restarts: status?.restarts ?? 0,
    protocol: status?.version ?? null,
    tools: status?.tools ?? 0,
    held: status?.held ?? 0,
    resources: status?.resources ?? 0,
    prompts: status?.prompts ?? 0,
    gateways: [...gatewaysOf(snapshot, name)],
    pin: config.pin,
    auth: auth?.kind ?? 'none',
  }
}

/** What may be said of where it is, how it is shut in, and where it is configured. */
export function placesOf(
  snapshot: Snapshot,
  { name, config, api }: McpServer,
  isBounded: boolean,
): Pick<Detail, 'place' | 'url' | 'sandbox'> {
  const origin = snapshot.origins.get(`servers.${name}`)
  const url = config.transport === 'http' ? config.url : config.transport === 'openapi' ? api?.base : undefined
  return {
    place: origin === undefined ? null : { source: origin.source, line: origin.line },
    url: url === undefined ? null : withoutSecrets(url),
    sandbox: config.transport === 'stdio' ? sandboxOf(config, isBounded) : null,
  }
}

function sandboxOf(
  { runner, per, network, mounts }: Extract<McpServer['config'], { transport: 'stdio' }>,
  isBounded: boolean,
): NonNullable<Detail['sandbox']> {
  return {
    runner,
    isolates: runner !== 'process',
    is_bounded: isBounded,
    per,
    network: network.map((entry) =>
      typeof entry === 'string'
        ? entry
        : entry.tcp === undefined
          ? (entry.host ?? '')
          : `tcp:${entry.tcp}${entry.as === undefined ? '' : ` as ${entry.as}`}`,
    ),
    mounts: mounts.map(({ path, write }) => ({ path, write })),
  }
}

/** Host and path: a name, a password or a query may be a secret. */
function withoutSecrets(url: string): string {
  const parsed = URL.parse(url)
  return parsed === null ? '' : `${parsed.origin}${parsed.pathname}`
}

/** The last lines it wrote, and what the gateway said of it. They are read from the data folder of this process. */
export async function lastLines(dataDir: string, { name, config }: McpServer): Promise<Detail['lines']> {
  if (config.transport !== 'stdio') return []
  const kept = await keptLines(join(dataDir, 'logs'), name)
  return kept.slice(-mostLines).map(({ at, pid, line, event }) => ({
    at,
    pid: pid ?? null,
    text: spelledOut(event ?? line ?? ''),
    of: event === undefined ? ('server' as const) : ('gateway' as const),
  }))
}

export interface LinkQuestion {
  readonly vault: Pick<Vault, 'get' | 'list'>
  readonly places: LinkPlaces
  /** Principal id of who asks. */
  readonly person: string
  /** A workload opens no page. */
  readonly isHuman: boolean
  /** Whether how many others have connected something may be told. */
  readonly isAdmin: boolean
}

/** What people have brought to a server that asks for something of theirs. Rejects with `store.failed` or `vault.*`. */
export async function linksOf(
  server: McpServer,
  { vault, places, person, isHuman, isAdmin }: LinkQuestion,
): Promise<Pick<Detail, 'link' | 'linked'>> {
  const kind = personalAuthOf(server)?.kind
  if (kind === undefined) return { link: null, linked: null }
  const place = (kind === 'user' ? linkPlace : secretPlace)(person, server.name)
  const own = await vault.get(place)
  const isThere = own !== undefined && (kind === 'user' ? readLink(own.content, server) : readSecret(own.content, server)) !== undefined
  const linked = isAdmin ? (await vault.list({ kind: place.kind })).filter(({ name }) => name === server.name).length : null
  return {
    link: { state: isThere ? 'connected' : 'missing', url: isHuman ? linkAddress(places, person, server.name) : null },
    linked,
  }
}
