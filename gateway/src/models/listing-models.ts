/** `GET /v1/models`: the exact model names this principal may use, in the caller's dialect. */
import type { Snapshot } from '../config/snapshot.ts'
import type { JsonObject } from '../core/json.ts'
import type { Caller } from '../core/principal.ts'
import { granted } from '../policy/grants.ts'
import type { DialectName } from '../wire/dialect.ts'

export function listModels(snapshot: Snapshot, caller: Caller, dialect: DialectName): JsonObject {
  const names = snapshot.routes.names.filter((name) => granted(snapshot.policy.grants, caller.principal, 'models', name) !== undefined)
  if (dialect === 'messages') {
    return {
      data: names.map((id) => ({ type: 'model', id, display_name: id, created_at: '1970-01-01T00:00:00Z' })),
      has_more: false,
      first_id: names[0] ?? null,
      last_id: names.at(-1) ?? null,
    }
  }
  return { object: 'list', data: names.map((id) => ({ id, object: 'model', created: 0, owned_by: 'turnward' })) }
}
