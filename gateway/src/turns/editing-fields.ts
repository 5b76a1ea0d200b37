/** Changes fields of a request. Only those that change are written anew in its bytes: the long history is not. */
import type { JsonObject } from '../core/json.ts'
import { hasTopLevel, setTopLevel } from '../wire/request/splice-bytes.ts'
import type { ModelCall } from './call.ts'

/** `edit` changes the fields with these names, and nothing else of what it is given. */
export function editFields(call: Pick<ModelCall, 'body' | 'bytes'>, names: readonly string[], edit: (fields: JsonObject) => void): void {
  const { fields } = call.body
  const before = names.map((name) => fields[name])
  edit(fields)
  for (const [index, name] of names.entries()) {
    const value = fields[name]
    if (value === before[index] || call.bytes === undefined) continue
    // One that the client spells otherwise stands elsewhere in its bytes.
    const isElsewhere = before[index] !== undefined && !hasTopLevel(call.bytes, name)
    call.bytes = value === undefined || isElsewhere ? undefined : setTopLevel(call.bytes, name, JSON.stringify(value))
  }
}
