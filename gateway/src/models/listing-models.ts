/** Lists of models, and single ones: the models this principal may use, in the caller's dialect. */
import type { Route, Snapshot } from '../config/snapshot.ts'
import { TurnwardError } from '../core/error.ts'
import type { JsonObject } from '../core/json.ts'
import type { Caller } from '../core/principal.ts'
import { granted } from '../policy/grant-index.ts'
import { providers } from '../providers/providers.ts'
import type { DialectName } from '../wire/dialect.ts'
import { dialectByName } from '../wire/dialects.ts'
import type { OfferedModels } from './offered-models.ts'

/** One model, in the caller's dialect. Throws `grant.model`; unknown and ungranted models answer alike. */
export function describeModel(snapshot: Snapshot, caller: Caller, dialect: DialectName, name: string): JsonObject {
  const isGranted = granted(snapshot.policy.grants, caller, 'models', name) !== undefined
  if (!isGranted || snapshot.routes.resolve(name) === undefined) throw new TurnwardError('grant.model', { subject: name.slice(0, 100) })
  return entryOf(snapshot, dialect, name)
}

/**
 * Exact routes by their name; of a route with a pattern the names its `models` lists, else those that its first upstream
 * offers and that lead to this route. Granted ones only.
 */
export async function listModels(offered: OfferedModels, snapshot: Snapshot, caller: Caller, dialect: DialectName): Promise<JsonObject> {
  const byPattern = await Promise.all(snapshot.routes.patterns.map((route) => namesOf(offered, snapshot, caller, route)))
  const all = new Set([...snapshot.routes.names, ...byPattern.flat()])
  const names = [...all].filter((name) => granted(snapshot.policy.grants, caller, 'models', name) !== undefined)
  const { models } = dialectByName[dialect]
  if (models !== undefined) return models.list(names)
  return { object: 'list', data: names.map((name) => entryOf(snapshot, dialect, name)) }
}

async function namesOf(offered: OfferedModels, snapshot: Snapshot, caller: Caller, route: Route): Promise<readonly string[]> {
  const [first] = route.targets
  // Where the upstream gets a name of the administrator's, what it offers says nothing about ours.
  const isOurs = first === undefined || (first.model !== undefined && first.model !== '*')
  const theirs = route.models ?? (isOurs ? [] : await offered.of(snapshot, caller, first.upstream))
  const names = route.models === undefined && first?.model === '*' ? theirs.map((name) => route.model.replace('*', () => name)) : theirs
  return names.filter((name) => snapshot.routes.resolve(name)?.model === route.model)
}

/** With the vendor that is asked first. */
function entryOf({ routes }: Snapshot, dialect: DialectName, id: string): JsonObject {
  const { models } = dialectByName[dialect]
  if (models !== undefined) return models.entry(id)
  const kind = routes.resolve(id)?.targets[0]?.upstream.config.kind
  return { id, object: 'model', created: 0, owned_by: kind === undefined ? 'turnward' : providers[kind].telemetryName }
}
