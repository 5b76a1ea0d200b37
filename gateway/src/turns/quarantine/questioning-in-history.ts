/** What a questioner is told of a result in the history of a model call: the person's words before it, and what the tool says of itself. */
import { asText, isObject, type JsonObject, type JsonValue } from '../../core/json.ts'
import type { ToolCallView } from '../../wire/dialect.ts'
import type { ModelCall } from '../call.ts'
import type { HistoryEntry } from '../sessions/history.ts'
import type { Questioned } from './questioner.ts'

/** Undefined where nobody asks by himself: of a side request of a client, and where that is not configured. */
export function questionedInHistory(
  call: ModelCall,
  { view, entry }: { readonly view: ToolCallView; readonly entry: HistoryEntry },
): Questioned | undefined {
  if (call.side !== undefined || call.snapshot.settings.quarantine?.automatic === undefined) return undefined
  const before = call.history.slice(0, call.history.indexOf(entry))
  return {
    request: before.findLast(({ message }) => message.fromUser)?.message.text,
    tool: { name: view.name, description: descriptionOf(call, view.name), args: Object.keys(view.args ?? {}) },
    signal: call.origin.signal,
  }
}

/** As the client offers it, in whatever dialect. */
function descriptionOf({ body, meanings }: ModelCall, name: string): string | undefined {
  const { tools, toolConfig } = body.fields
  const offered = [...listOf(tools), ...listOf(isObject(toolConfig) ? toolConfig.tools : undefined)]
  const definitions = offered.flatMap((tool) => [tool, tool.function, tool.toolSpec, ...listOf(tool.functionDeclarations)])
  const found = definitions.find((one): one is JsonObject => isObject(one) && one.name === name)
  const described = found?.description ?? meanings.tool(name)?.definition.description
  return described === undefined || described === null ? undefined : asText(described)
}

function listOf(value: JsonValue | undefined): JsonObject[] {
  return Array.isArray(value) ? value.filter(isObject) : []
}
