/** `GET /v1/models` and `/v1/models/{name}`: the exact model names this principal may use, in the caller's dialect. */
import type { Snapshot } from '../config/snapshot.ts'
import { TurnwardError } from '../core/error.ts'
import type { JsonObject } from '../core/json.ts'
import type { Caller } from '../core/principal.ts'
import { granted } from '../policy/grants.ts'
import type { DialectName } from '../wire/dialect.ts'

/** One model, in the caller's dialect. Throws `grant.model`; unknown and ungranted models answer alike. */
export function describeModel(snapshot: Snapshot, caller: Caller, dialect: DialectName, name: string): JsonObject {
  const isGranted = granted(snapshot.policy.grants, caller.principal, 'models', name) !== undefined
  if (!isGranted || snapshot.routes.resolve(name) === undefined) throw new TurnwardError('grant.model', { subject: name.slice(0, 100) })
  return entryOf(dialect, name)
}

export function listModels(snapshot: Snapshot, caller: Caller, dialect: DialectName): JsonObject {
  const names = snapshot.routes.names.filter((name) => granted(snapshot.policy.grants, caller.principal, 'models', name) !== undefined)
  if (dialect === 'messages') {
    return {
      data: names.map((name) => entryOf(dialect, name)),
      has_more: false,
      first_id: names[0] ?? null,
      last_id: names.at(-1) ?? null,
    }
  }
  return { object: 'list', data: names.map((name) => entryOf(dialect, name)) }
}

function entryOf(dialect: DialectName, id: string): JsonObject {
  if (dialect === 'messages') return { type: 'model', id, display_name: id, created_at: '1970-01-01T00:00:00Z' }
  return { id, object: 'model', created: 0, owned_by: 'turnward' }
}
