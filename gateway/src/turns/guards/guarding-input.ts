/**
 * What models are told goes past the guards before it is sent anywhere, and again before each further round of the same request: by
 * then the gateway has answered calls in it. What they take out is taken out of a copy: the conversation as its client has it is
 * what everything else is decided on.
 */
import type { Route } from '../../config/snapshot.ts'
import { isObject, type JsonObject, type JsonValue } from '../../core/json.ts'
import type { RequestText } from '../../wire/request/request-texts.ts'
import type { ModelCall, TokenCount } from '../call.ts'
import { GuardsOfCall } from './guards-of-call.ts'
import { TextUnits } from './text-units.ts'

/** Throws `guard.*`, which is on record then. */
export async function guardInput(call: ModelCall, route: Pick<Route, 'guards'>): Promise<void> {
  const { view, body, dialect } = call
  call.guards ??= GuardsOfCall.of({ ...call, recordedAs: 'model_call', model: view.model }, route)
  if (call.guards === undefined || call.guards.input.length === 0) return
  if (await guardBody(call.guards, body.json, (json) => dialect.requestTexts(json))) call.bytes = undefined
}

/** The same of a request whose tokens are counted. Gives the bytes that it goes out with. */
export async function guardCounted(count: TokenCount, route: Pick<Route, 'guards'>): Promise<void> {
  const { dialect, read } = count
  count.guards = GuardsOfCall.of({ ...count, recordedAs: 'token_count' }, route)
  if (count.guards === undefined || count.guards.input.length === 0) return
  const isEdited = await guardBody(count.guards, read.body.json, (json) => dialect.requestTexts(json))
  if (isEdited) count.read = { ...read, bytes: undefined }
}

/** True when something was written otherwise, in `body` itself; views over what it was before stay what they are. */
export async function guardBody(
  guards: GuardsOfCall,
  body: JsonObject,
  textsOf: (body: JsonObject) => readonly RequestText[],
): Promise<boolean> {
  const units = unitsOf(textsOf(body))
  guards.look('input', units.units)
  await guards.examine('input', units.units)
  guards.lookAtWhole('input', units.units)
  if (!units.isEdited) return false
  const copy = copyOf(body) as JsonObject
  const copied = unitsOf(textsOf(copy))
  copied.take(units)
  copied.write()
  for (const field of Object.keys(copy)) body[field] = copy[field] as JsonValue
  return true
}

function unitsOf(texts: readonly RequestText[]): TextUnits {
  const units = new TextUnits()
  for (const { part, holder, field, isJson, isFixed } of texts) {
    if (isJson === true) units.addJson(part, holder, field, isFixed)
    else units.add(part, holder, field, isFixed)
  }
  return units
}

/** Raw numbers stay as they came. */
function copyOf(value: JsonValue): JsonValue {
  if (Array.isArray(value)) return value.map(copyOf)
  if (!isObject(value)) return value
  return Object.fromEntries(Object.entries(value).map(([key, item]) => [key, copyOf(item)]))
}
