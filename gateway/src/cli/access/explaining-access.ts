/**
 * Why somebody may or may not use something: the line that decides with its place, what would change it, and what would refuse
 * a call next. Reads the compiled configuration that calls are decided on.
 */
import { relative } from 'node:path'
import type { Origin, Snapshot } from '../../config/snapshot.ts'
import type { Caller, Scope } from '../../core/principal.ts'
import { serverOfName } from '../../core/tool-names.ts'
import { conversationDialects } from '@turnward/contract/config/balancing'
import { emptyLedger } from '../../policy/effects.ts'
import { explainGrant } from '../../policy/explaining-grants.ts'
import type { GrantKind } from '../../policy/grants.ts'
import { publicLabel } from '../../policy/label.ts'
import { reachable } from '../../policy/reachable.ts'
import { clientRun } from '../../policy/types.ts'
import { originOfSource } from '../policy/where-lines-stand.ts'

export interface AskedAccess {
  readonly caller: Pick<Caller, 'principal' | 'key' | 'consumer' | 'actor' | 'actors' | 'issuer' | 'within'>
  /** What the key is good for; null where no key was named. */
  readonly scopes: readonly Scope[] | null
  readonly kind: GrantKind
  readonly name: string
}

/** A line of the configuration that has a say. */
export interface Said {
  /** `grant #2`, `forbid #5`, `key key_…`, `contract …`, `rule …`. */
  readonly source: string
  /** `turnward.yaml:14:3`; null for what no file says. */
  readonly place: string | null
  readonly why: string
}

export interface ExplainedAccess {
  readonly allowed: boolean
  /** What decides. */
  readonly decides: Said
  /** What stands besides, in the same direction or the other: further lines that forbid, the line that would allow. */
  readonly besides: readonly Said[]
  /** Lines that nearly allow it, or what would have to go for it to be allowed. */
  readonly changes: readonly Said[]
  /** What would refuse a call although it is granted. */
  readonly next: readonly Said[]
}

/** `base`: the folder that places are told relative to. */
export function explainAccess(snapshot: Snapshot, asked: AskedAccess, base: string): ExplainedAccess {
  const { caller, kind, name } = asked
  const { grants } = snapshot.policy
  const { ruling, allowedBy, forbiddenBy, misses } = explainGrant(grants, caller, kind, name)
  const ofLine = (index: number, source: string | undefined, why: string): Said => {
    const place = snapshot.origins.get(`grants[${index}]`)
    return { source: source ?? 'grants', place: place === undefined ? null : placeText(place, base), why }
  }
  const allows = allowedBy.map((index) => ofLine(index, grants.lines[index]?.source, 'allows it'))
  const forbids = forbiddenBy.map((index) => ofLine(index, grants.lines[index]?.forbidSource, 'forbids it'))
  const ofKey: Said = {
    source: `key ${caller.key}`,
    place: snapshot.origins.has(`keys.${caller.key}`) ? placeText(snapshot.origins.get(`keys.${caller.key}`), base) : null,
    why: 'the key is for other things only',
  }
  const narrows = allowedBy.length > 0 && forbids.length === 0 && !ruling.allowed
  const nobody: Said = { source: 'grants', place: null, why: 'no line allows it' }
  const [decides = nobody, ...besides] = forbids.length > 0 ? [...forbids, ...allows] : narrows ? [ofKey, ...allows] : allows
  const scope = lackingScope(asked)
  return {
    allowed: ruling.allowed && scope === undefined,
    decides,
    besides,
    changes: [
      ...forbids.map(({ source, place }) => ({ source, place, why: 'would have to leave it out' })),
      ...(narrows ? [{ ...ofKey, why: 'would have to name it' }] : []),
      ...misses.map(({ line, why }) => ofLine(line, grants.lines[line]?.source, why)),
      ...(scope === undefined ? [] : [scope]),
    ],
    next: ruling.allowed ? whatWouldRefuse(snapshot, asked, base) : [],
  }
}

/** The floor that a key is not good for. */
function lackingScope({ kind, scopes, caller }: AskedAccess): Said | undefined {
  const needed: Scope = kind === 'models' ? 'models' : 'mcp'
  if (scopes === null || scopes.includes(needed) || (kind === 'tools' && scopes.includes('models'))) return undefined
  return { source: `key ${caller.key}`, place: null, why: `it is not good for \`${needed}\`, but for ${scopes.join(', ')}` }
}

function whatWouldRefuse(snapshot: Snapshot, { caller, kind, name }: AskedAccess, base: string): readonly Said[] {
  if (kind === 'models') return routesThatDoNotServe(snapshot, caller, name, base)
  if (kind === 'gateways')
    return snapshot.gateways.has(name) ? [] : [{ source: 'gateways', place: null, why: 'there is no gateway of this name' }]
  const { policy } = snapshot
  const server = serverOfName(name)
  const owner = server !== undefined && snapshot.servers.has(server) ? server : clientRun
  // A conversation that has read nothing: what this refuses is refused always.
  const state = { label: publicLabel(policy.trustRanks.length - 1), effects: emptyLedger }
  const { gaps } = reachable(policy, state, { name, server: owner }, caller, null)
  const refused = gaps
    .filter((gap) => gap.kind !== 'grant')
    .map(({ source, detail }): Said => ({ source, place: placeOfSource(snapshot, source, base), why: detail }))
  const contract = policy.contractOf(name)
  const needed = contract?.requires.trust
  const later: readonly Said[] =
    contract !== undefined && needed !== undefined && needed > 0
      ? [
          {
            source: `contract ${contract.source}`,
            place: placeOfSource(snapshot, `contract ${contract.source}`, base),
            why: `once the conversation has read something of less trust than \`${policy.trustRanks[needed] ?? ''}\``,
          },
        ]
      : []
  return [...(owner === clientRun ? [] : gatewaysThatShow(snapshot, caller, name, owner, base)), ...refused, ...later]
}

/** Headers and claims are of a call, and not known here: a route that asks for them is told of. */
function routesThatDoNotServe(snapshot: Snapshot, asked: AskedAccess['caller'], name: string, base: string): readonly Said[] {
  const route = snapshot.routes.resolve(name)
  if (route === undefined) return [{ source: 'routes', place: null, why: 'no route serves this model' }]
  const caller: Caller = { ...asked, scopes: null, expires: null, claims: {}, credentials: new Map(), later: '' }
  const dialects = conversationDialects.filter((dialect) => snapshot.routes.resolve(name, { caller, headers: {}, dialect }) !== undefined)
  if (dialects.length === conversationDialects.length) return []
  const why =
    dialects.length > 0
      ? `its \`match\` leaves the model to calls in ${dialects.join(', ')}, or with headers or claims that are not known here`
      : 'its `match` does not fit this caller, unless headers or claims of a call do that are not known here'
  return [
    { source: `route ${route.model}`, place: placeText(snapshot.origins.get(`routes[${snapshot.routes.all.indexOf(route)}]`), base), why },
  ]
}

/** A tool is called at a gateway: without one that shows it and is granted, the grant of the tool is of no use over MCP. */
function gatewaysThatShow(snapshot: Snapshot, caller: AskedAccess['caller'], name: string, server: string, base: string): readonly Said[] {
  const showing = [...snapshot.gateways.values()].filter((gateway) => gateway.servers.includes(server) && gateway.tools.matches(name))
  if (showing.length === 0) return [{ source: 'gateways', place: null, why: 'no MCP gateway shows the tool' }]
  const denied = showing.flatMap((gateway): Said[] => {
    const ruling = snapshot.policy.grants.ruling(caller, 'gateways', gateway.name)
    return ruling.allowed
      ? []
      : [
          {
            source: ruling.source,
            place: placeText(snapshot.origins.get(`gateways.${gateway.name}`), base),
            why: `gateway \`${gateway.name}\` shows it and may not be used`,
          },
        ]
  })
  return denied.length === showing.length ? denied : []
}

/** Where a contract or a rule stands, by what reasons call it. */
function placeOfSource(snapshot: Snapshot, source: string, base: string): string | null {
  return placeText(originOfSource(snapshot, source), base)
}

function placeText(place: Origin | undefined, base: string): string | null {
  if (place === undefined) return null
  const short = relative(base, place.source)
  return `${short.length < place.source.length ? short : place.source}:${place.line}:${place.column}`
}
