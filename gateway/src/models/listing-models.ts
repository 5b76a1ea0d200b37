/** Lists of models, and single ones: the models this principal may use, in the caller's dialect. */
import type { Route, RouteFacts, Snapshot } from '../config/snapshot.ts'
import { TurnwardError } from '../core/error.ts'
import type { JsonObject } from '../core/json.ts'
import { granted } from '../policy/grant-index.ts'
import { providers } from '../providers/providers.ts'
import type { DialectName } from '../wire/dialect.ts'
import { dialectByName } from '../wire/dialects.ts'
import type { OfferedModels } from './offered-models.ts'

/** Who asks, as a call would: a route with conditions is there for whom it would serve. */
export type ListingFacts = RouteFacts & { readonly dialect: DialectName }

/** One model, in the caller's dialect. Throws `grant.model`; unknown and ungranted models answer alike. */
export function describeModel(snapshot: Snapshot, facts: ListingFacts, name: string): JsonObject {
  const isGranted = granted(snapshot.policy.grants, facts.caller, 'models', name) !== undefined
  if (!isGranted || snapshot.routes.resolve(name, facts) === undefined)
    throw new TurnwardError('grant.model', { subject: name.slice(0, 100) })
  return entryOf(snapshot, facts, name)
}

/**
 * Exact routes by their name; of a route with a pattern the names its `models` lists, else those that its first upstream
 * offers and that lead to this route. Granted ones only.
 */
export async function listModels(offered: OfferedModels, snapshot: Snapshot, facts: ListingFacts): Promise<JsonObject> {
  const { caller, dialect } = facts
  const { routes } = snapshot
  const byPattern = await Promise.all(routes.patterns.map((route) => namesOf(offered, snapshot, facts, route)))
  const all = new Set([...routes.names.filter((name) => routes.resolve(name, facts) !== undefined), ...byPattern.flat()])
  const names = [...all].filter((name) => granted(snapshot.policy.grants, caller, 'models', name) !== undefined)
  const { models } = dialectByName[dialect]
  if (models !== undefined) return models.list(names, (name) => routes.resolve(name, facts)?.description)
  return { object: 'list', data: names.map((name) => entryOf(snapshot, facts, name)) }
}

async function namesOf(offered: OfferedModels, snapshot: Snapshot, facts: RouteFacts, route: Route): Promise<readonly string[]> {
  const [first] = route.targets
  // Where the upstream gets a name of the administrator's, what it offers says nothing about ours.
  const isOurs = first === undefined || (first.model !== undefined && first.model !== '*')
  const theirs = route.models ?? (isOurs ? [] : await offered.of(snapshot, facts.caller, first.upstream))
  const names = route.models === undefined && first?.model === '*' ? theirs.map((name) => route.model.replace('*', () => name)) : theirs
  return names.filter((name) => isServedBy(snapshot.routes.resolve(name, facts), route))
}

/** What the `*` of a route stands for may be in its targets, so it is known by how it is declared. */
function isServedBy(found: Route | undefined, { model, applies }: Route): boolean {
  return found !== undefined && found.model === model && found.applies === applies
}

/** With the vendor that is asked first. */
function entryOf({ routes }: Snapshot, facts: ListingFacts, id: string): JsonObject {
  const { models } = dialectByName[facts.dialect]
  const route = routes.resolve(id, facts)
  const { description } = route ?? {}
  if (models !== undefined) return models.entry(id, description)
  const kind = route?.targets[0]?.upstream.config.kind
  const owner = kind === undefined ? 'turnward' : providers[kind].telemetryName
  return { id, object: 'model', created: 0, owned_by: owner, ...(description === undefined ? {} : { description }) }
}
