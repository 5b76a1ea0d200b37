/** What every dialect's error envelope says beside the vendor's own fields. */
import type { JsonObject } from '../../core/json.ts'
import type { DialectError } from '../dialect.ts'

/** Our turn id, where there is one. */
export function turnOf(error: DialectError): JsonObject {
  return error.turn === undefined ? {} : { turn: error.turn }
}
