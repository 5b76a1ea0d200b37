/** Fingerprints of the configuration. Secrets enter only through their SHA-256, so a revision can be shown anywhere. */
import type { Config, ServerConfig } from '@turnward/contract/config'
import { digestJson, sha256 } from '../core/hash.ts'
import { boundPacks, packId } from '../policy/packs/packs.ts'

/** Digests of the documents that servers are read from, by the name of the server. */
export type DocumentDigests = ReadonlyMap<string, string>

/** First 12 hex digits of the SHA-256 over the canonical JSON of the resolved configuration. Equal configurations have equal revisions. */
export function revisionOf(config: Config, documents: DocumentDigests = new Map()): string {
  return digestJson({
    ...config,
    // Which file says it is not part of what is configured.
    include: undefined,
    // A draft beside the policy decides nothing.
    policy: { ...config.policy, shadow: undefined },
    // Where a replica listens and what it is called differs between replicas that are to be alike, and so does what it proves that with.
    listen: { ...config.listen, host: undefined, port: undefined, tls: config.listen.tls && withoutIdentity(config.listen.tls) },
    data_dir: undefined,
    store: withoutAddress(config.store),
    state: withoutAddress(config.state),
    cluster: undefined,
    // What a pack says changes with its version, not with its name.
    packs: boundPacks(config.packs).map(({ pack, server }) => [packId(pack), server ?? null]),
    credentials: mapValues(config.credentials, ({ secret, aws }) =>
      aws === undefined ? { secret: sha256(secret ?? '') } : { aws: digestJson(aws) },
    ),
    identity: {
      ...config.identity,
      issuers: mapValues(config.identity.issuers, withoutClientSecrets),
      edges: mapValues(config.identity.edges, ({ secret, ...edge }) => ({
        ...edge,
        secret: secret && { ...secret, value: sha256(secret.value) },
      })),
    },
    keys: mapValues(config.keys, (key) => ({ ...key, secret: sha256(key.secret) })),
    upstreams: mapValues(config.upstreams, (upstream) => ({ ...upstream, headers: digests(upstream.headers) })),
    servers: mapValues(config.servers, (server, name) => withoutSecrets(server, documents.get(name))),
    telemetry: { ...config.telemetry, traces: { ...config.telemetry.traces, headers: digests(config.telemetry.traces.headers) } },
  }).slice(0, 12)
}

/** SHA-256 (hex) of one server's configuration; changes exactly when a new connection is needed. `document`: digest of the one it is read from. */
export function serverDigest(server: ServerConfig, document?: string): string {
  return digestJson(withoutSecrets(server, document))
}

function withoutSecrets(server: ServerConfig, document: string | undefined): unknown {
  if (server.transport === 'stdio') return { ...server, env: digests(server.env) }
  const { headers, auth } = server
  const known = { ...server, headers: digests(headers), auth: hashed(auth) }
  if (server.transport === 'http') return known
  // Where the document lies does not matter; what it says does.
  return { ...known, query: digests(server.query), document }
}

/** Names under which `auth` has secrets, at any depth. */
const secretNames: ReadonlySet<string> = new Set(['secret', 'private_key', 'headers'])

function hashed(value: unknown): unknown {
  if (Array.isArray(value)) return value.map(hashed)
  if (typeof value !== 'object' || value === null) return value
  return Object.fromEntries(
    Object.entries(value).map(([name, inner]: [string, unknown]) => [
      name,
      secretNames.has(name) ? digestJson(inner ?? null) : hashed(inner),
    ]),
  )
}

function withoutIdentity({ certificate: _certificate, key: _key, ...rest }: NonNullable<Config['listen']['tls']>): object {
  return rest
}

function withoutClientSecrets({ client, ...issuer }: Config['identity']['issuers'][string]): unknown {
  if (client === undefined) return issuer
  return { ...issuer, client: { ...client, secret: sha256(client.secret ?? ''), private_key: sha256(client.private_key ?? '') } }
}

/** Where it is kept, with its password, does not change what is decided. */
function withoutAddress<T extends { readonly url?: string | undefined; readonly ca?: string | undefined }>(
  section: T,
): Omit<T, 'url' | 'ca'> {
  const { url: _url, ca: _ca, ...rest } = section
  return rest
}

function digests(values: Readonly<Record<string, string>>): Record<string, string> {
  return mapValues(values, (value) => sha256(value))
}

function mapValues<In, Out>(record: Readonly<Record<string, In>>, change: (value: In, name: string) => Out): Record<string, Out> {
  return Object.fromEntries(Object.entries(record).map(([key, value]) => [key, change(value, key)]))
}
