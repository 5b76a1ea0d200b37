/**
 * From a valid configuration to the snapshot requests run on. Checks every reference first and reports all
 * problems together; a snapshot exists only when there are none.
 */
import { dirname, isAbsolute, join, resolve, sep } from 'node:path'
import type { Config, ServerConfig } from '@turnward/contract/config'
import { deepFreeze } from '../core/freeze.ts'
import type { Principal } from '../core/principal.ts'
import { compileNames } from '../policy/patterns.ts'
import type { Policy } from '../policy/types.ts'
import { checkAliases } from './aliases.ts'
import { checkAmbiguity } from './ambiguity.ts'
import { checkBalance } from './balance-problems.ts'
import { checkEmbeddings } from './embeddings-problems.ts'
import { checkDirectories } from './directories.ts'
import { checkIssuers, compileIssuers } from './issuers.ts'
import { withinOf } from './key-within.ts'
import { checkGuards, compileGuards, standingGuards } from './guards.ts'
import { compileLimits } from './limits.ts'
import { checkListenerCertificate } from './listener-certificate.ts'
import { pathText } from './locate.ts'
import { noManagedObjects } from './managed/facts.ts'
import { checkOAuth } from './oauth-problems.ts'
import type { Api } from './openapi/api.ts'
import { checkClusterServers, checkKeeping, checkPlaces } from './places.ts'
import { checkPolicy } from './policy-problems.ts'
import { ConfigError, type ConfigProblem, type ReportAt } from './problems.ts'
import { checkProvenCallers } from './proven-callers.ts'
import { checkReferences, declaredNames, type DeclaredNames } from './references.ts'
import { revisionOf, serverDigest } from './revision.ts'
import { checkRouteMatches } from './route-matching.ts'
import { compileRoutes } from './route-table.ts'
import { checkSafety } from './safety.ts'
import { checkServerAuth } from './server-auth.ts'
import { checkContext, compileContext } from './context.ts'
import { checkTemplates, compileTemplates } from './templates.ts'
import { checkTransforms, compileTransforms } from './transforms.ts'
import { checkToolPatterns } from './tool-patterns.ts'
import {
  type ConfiguredKey,
  type McpGateway,
  type McpServer,
  type ProviderCredential,
  settingNames,
  type Snapshot,
  type Upstream,
} from './snapshot.ts'

export interface SnapshotSource {
  /** Absolute, the main file first; relative paths in the configuration are relative to it. Empty when there is no file. */
  readonly files: readonly string[]
  /** Absolute. */
  readonly dataDir: string
  /** Where each object was written; absent when it was written nowhere. */
  readonly origins?: Snapshot['origins']
  /** Objects that have names, as they were written. */
  readonly objects?: Snapshot['objects']
  readonly managed?: Snapshot['managed'] | undefined
  /** What is to be looked at in it. */
  readonly notices?: readonly ConfigProblem[]
  /** The API of each server of `transport: openapi`. */
  readonly apis?: ReadonlyMap<string, Api>
}

/** Everything that can be wrong with a configuration that fits the schema. Undefined when something is. */
export function checkConfig(config: Config, names: DeclaredNames, report: ReportAt): Policy | undefined {
  let failed = false
  const track: ReportAt = (path, message, options) => {
    if (options?.isNotice !== true) failed = true
    report(path, message, options)
  }
  checkReferences(config, names, track)
  checkAmbiguity(config, track)
  checkAliases(config, track)
  checkBalance(config, track)
  checkEmbeddings(config, track)
  checkRouteMatches(config, track)
  checkSafety(config, track)
  checkToolPatterns(config, track)
  checkGuards(config, track)
  checkTemplates(config, track)
  checkContext(config, track)
  checkTransforms(config, track)
  checkPlaces(config, track)
  checkClusterServers(config, track)
  checkKeeping(config, track)
  checkListenerCertificate(config, track)
  checkProvenCallers(config, track)
  checkIssuers(config, track)
  checkServerAuth(config, track)
  checkDirectories(config, track)
  checkOAuth(config, track)
  const policy = checkPolicy(config, track)
  return failed ? undefined : policy
}

/**
 * Compiles a configuration that did not come through `loadConfig` (a demo, a test). Throws ConfigError with
 * every problem, without positions.
 */
export function compileSnapshot(config: Config, source: SnapshotSource): Snapshot {
  const problems: ConfigProblem[] = []
  const file = source.files[0] ?? 'configuration'
  const policy = checkConfig(
    config,
    declaredNames((section) => Object.keys(config[section])),
    (path, message, { code = 'config.invalid', suggestion, isNotice } = {}) => {
      if (isNotice === true) return
      problems.push({
        code,
        file,
        line: 1,
        column: 1,
        path: pathText(path),
        message: `${pathText(path)}: ${message}`,
        ...(suggestion === undefined ? {} : { suggestion }),
      })
    },
  )
  if (policy === undefined) throw new ConfigError(problems, dirname(file))
  return buildSnapshot(config, policy, source)
}

function compileCredential({ secret, aws, google }: Config['credentials'][string], id: string): ProviderCredential {
  if (google?.service_account !== undefined)
    return { id, kind: 'google-identity', identity: { from: 'service-account', key: google.service_account } }
  if (google?.identity !== undefined) return { id, kind: 'google-identity', identity: { from: google.identity } }
  if (aws === undefined) return { id, kind: 'static', secret: secret ?? '' }
  const { access_key_id: accessKeyId = '', secret_access_key: secretAccessKey = '', session_token: sessionToken, profile, identity } = aws
  if (profile !== undefined) return { id, kind: 'aws-identity', identity: { from: 'profile', profile } }
  if (identity !== undefined) return { id, kind: 'aws-identity', identity: { from: identity } }
  return { id, kind: 'parts', credential: { kind: 'aws', accessKeyId, secretAccessKey, sessionToken } }
}

/** Puts a checked configuration and its policy together; deeply frozen. */
export function buildSnapshot(config: Config, policy: Policy, source: SnapshotSource): Snapshot {
  const base = source.files[0] === undefined ? source.dataDir : dirname(source.files[0])
  const upstreams = compileMap(config.upstreams, (upstream, name): Upstream => deepFreeze({ name, config: upstream }))
  const guards = compileGuards(config.guards, upstreams)
  const templates = compileTemplates(config.templates)
  const retrievers = compileContext(config)
  const transforms = compileTransforms(config)
  return deepFreeze<Snapshot>({
    revision: revisionOf(config, new Map([...(source.apis ?? [])].map(([name, { digest }]) => [name, digest]))),
    files: source.files,
    dataDir: source.dataDir,
    origins: source.origins ?? new Map(),
    notices: source.notices ?? [],
    objects: source.objects ?? new Map(),
    managed: source.managed ?? noManagedObjects,
    settings: Object.fromEntries(settingNames.map((name) => [name, config[name]])) as Snapshot['settings'],
    principals: compileMap(config.principals, compilePrincipal),
    identity: config.identity,
    issuers: compileIssuers(config),
    groupCredentials: compileMap(config.groups, (group) => new Map(Object.entries(group.credentials))),
    groupManagers: compileMap(config.groups, ({ managers }) => [...new Set(managers)]),
    keys: compileMap(config.keys, compileKey),
    credentials: compileMap(config.credentials, compileCredential),
    upstreams,
    routes: compileRoutes(config.routes, upstreams, config.policy.conditions, { guards, templates, retrievers, transforms }),
    limits: compileLimits(config.limits),
    guards,
    templates,
    standingGuards: standingGuards(guards),
    prices: config.prices.map((rates) => ({
      models: compileNames(rates.models),
      upstreams: rates.upstreams === undefined ? undefined : compileNames(rates.upstreams),
      rates,
    })),
    servers: compileMap(config.servers, (server, name) =>
      compileServer(withSecret(server, config.credentials), name, base, source.dataDir, source.apis?.get(name)),
    ),
    gateways: compileMap(config.gateways, (gateway, name): McpGateway => ({
      name,
      servers: [...new Set(gateway.servers)],
      tools: compileNames(gateway.tools),
      instructions: gateway.instructions,
      names: gateway.names,
      listing: gateway.listing,
      always: compileNames(gateway.always),
      sse: gateway.sse,
      aliases: new Map(Object.entries(gateway.aliases)),
    })),
    policy,
  })
}

function compileMap<In, Out>(section: Readonly<Record<string, In>>, compile: (item: In, name: string) => Out): ReadonlyMap<string, Out> {
  return new Map(Object.entries(section).map(([name, item]) => [name, compile(item, name)]))
}

function compilePrincipal(principal: Config['principals'][string], id: string): Principal {
  return {
    id,
    kind: principal.kind,
    groups: [...new Set(principal.groups)],
    emails: principal.emails,
    credentials: new Map(Object.entries(principal.credentials)),
    issuer: principal.issuer ?? null,
  }
}

function compileKey(key: Config['keys'][string], id: string): ConfiguredKey {
  return {
    id,
    principal: key.principal,
    consumer: key.consumer ?? null,
    actor: key.actor ?? null,
    secret: key.secret,
    expires: key.expires === undefined ? null : expiryOf(key.expires),
    credentials: new Map(Object.entries(key.credentials)),
    scopes: key.scopes ?? null,
    within: key.grants === undefined ? null : withinOf(key.grants),
  }
}

const dayMs = 24 * 3600 * 1000

/** Unix milliseconds from which a key is refused. A bare date is the last day the key works, in UTC. */
export function expiryOf(expires: string): number {
  return expires.includes('T') ? Date.parse(expires) : Date.parse(`${expires}T00:00:00Z`) + dayMs
}

/** The server with the header that a credential makes: another secret is then another connection. */
function withSecret(server: ServerConfig, credentials: Config['credentials']): ServerConfig {
  if (server.transport === 'stdio' || server.auth?.kind !== 'header' || server.auth.credential === undefined) return server
  const { auth } = server
  const secret = credentials[server.auth.credential]?.secret ?? ''
  return { ...server, auth: { ...auth, headers: { [auth.header.toLowerCase()]: auth.format.replace('{secret}', () => secret) } } }
}

function compileServer(server: ServerConfig, name: string, base: string, dataDir: string, api: Api | undefined): McpServer {
  const config =
    server.transport === 'stdio'
      ? {
          ...server,
          // In a container a path is one of its own.
          command:
            server.runner === 'docker' || server.runner === 'kubernetes'
              ? server.command
              : server.command.map((part) => resolveDotted(base, part)),
          mounts: server.mounts.map((mount) => ({ ...mount, path: resolve(base, mount.path) })),
        }
      : server
  const digest = serverDigest(config, api?.digest)
  if (config.transport !== 'stdio' || config.installed === undefined) return { name, config, digest, api }
  return { name, config, digest, installed: { ...config.installed, folder: installedFolder(config.command, dataDir) } }
}

/** The folder of one installed version that the command runs something of. */
function installedFolder(command: readonly string[], dataDir: string): string | undefined {
  const all = join(dataDir, 'installed') + sep
  const [server, version, ...below] =
    command
      .filter((part) => isAbsolute(part))
      .map((part) => resolve(part))
      .find((part) => part.startsWith(all))
      ?.slice(all.length)
      .split(sep) ?? []
  return server === undefined || version === undefined || below.length === 0 ? undefined : join(all, server, version)
}

/** `./x` and `../x` in a command mean a path next to the configuration; the server itself runs in another folder. */
function resolveDotted(base: string, part: string): string {
  return part.startsWith('./') || part.startsWith('../') ? resolve(base, part) : part
}
