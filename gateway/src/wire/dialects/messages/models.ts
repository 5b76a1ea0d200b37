/** Models as Anthropic's API lists them. */
import type { JsonObject } from '../../../core/json.ts'

export function modelEntry(name: string, description?: string): JsonObject {
  return {
    type: 'model',
    id: name,
    display_name: name,
    created_at: '1970-01-01T00:00:00Z',
    ...(description === undefined ? {} : { description }),
  }
}

export function modelList(names: readonly string[], describe: (name: string) => string | undefined = () => undefined): JsonObject {
  return {
    data: names.map((name) => modelEntry(name, describe(name))),
    has_more: false,
    first_id: names[0] ?? null,
    last_id: names.at(-1) ?? null,
  }
}
