/**
 * What only another vendor can use travels through a responses client in reasoning items, which it must send back unchanged:
 * their encrypted content bears our mark, and must never be sent to a vendor that would try to read it. What this vendor has
 * encrypted travels through clients of other dialects as state of the message.
 */
import { isObject, type JsonObject } from '../../../../core/json.ts'
import type { HubPart, HubReasoning, HubSealed, HubState, ReasoningOrigin } from '../../../hub/conversation.ts'
import { objectOf, stringOf } from '../../../hub/loose-fields.ts'
import { objectsOf } from '../../../request/fields.ts'

const mark = 'turnward:'
/** The field of a state that holds a reasoning item. */
const stateField = 'responses_reasoning'

type Carried = HubReasoning | HubSealed | HubState

/** The reasoning item that carries a part. */
export function reasoningItem(part: Carried, id: string): JsonObject {
  const carried = part.kind === 'reasoning' ? { kind: part.kind, origin: part.origin as unknown as JsonObject } : { ...part }
  const summary = part.kind === 'reasoning' && part.text !== '' ? [{ type: 'summary_text', text: part.text }] : []
  return { id, type: 'reasoning', summary, encrypted_content: mark + Buffer.from(JSON.stringify(carried)).toString('base64url') }
}

/** The parts a reasoning item of a client's history stands for. */
export function readReasoningItem(item: JsonObject): HubPart[] {
  const data = stringOf(item.encrypted_content)
  if (data === undefined) return []
  if (!data.startsWith(mark)) return [{ kind: 'sealed', family: 'responses', data }]
  const carried = unpacked(data)
  if (carried?.kind === 'reasoning' && isObject(carried.origin))
    return [{ kind: 'reasoning', text: reasoningText(item), origin: carried.origin as unknown as ReasoningOrigin }]
  if (carried?.kind === 'sealed' && carried.family === 'anthropic' && typeof carried.data === 'string')
    return [{ kind: 'sealed', family: 'anthropic', data: carried.data }]
  if (carried?.kind === 'state' && isObject(carried.fields))
    return [{ kind: 'state', call: stringOf(carried.call), upstream: stringOf(carried.upstream), fields: carried.fields }]
  return []
}

function unpacked(data: string): JsonObject | undefined {
  try {
    const value: unknown = JSON.parse(Buffer.from(data.slice(mark.length), 'base64url').toString())
    return isObject(value) ? value : undefined
  } catch {
    return undefined
  }
}

/** What a reasoning item says in words. */
export function reasoningText(item: JsonObject): string {
  const summary = objectsOf(item.summary).map(({ text }) => stringOf(text) ?? '')
  const words = summary.length > 0 ? summary : objectsOf(item.content).map(({ text }) => stringOf(text) ?? '')
  return words.join('\n\n')
}

/** What this vendor encrypted, for a client of another dialect to carry; undefined for an item that holds nothing of the kind. */
export function stateOfReasoning(item: JsonObject, upstream: string | undefined): HubState | undefined {
  if (typeof item.encrypted_content !== 'string' || item.encrypted_content === '') return undefined
  const { id = null, encrypted_content: data, summary = [] } = item
  return { kind: 'state', call: undefined, upstream, fields: { [stateField]: { id, type: 'reasoning', summary, encrypted_content: data } } }
}

/** The reasoning item a state carries, if it came from this upstream. */
export function reasoningOfState({ upstream, fields }: HubState, target: string | undefined): JsonObject | undefined {
  return upstream !== undefined && upstream === target ? objectOf(fields[stateField]) : undefined
}

/** Whether bytes hold a mark, so that they cannot go to a vendor of this dialect as they are. */
export function carriesMarks(bytes: Buffer): boolean {
  return bytes.includes(`"${mark}`)
}

/** A responses request without the marked items. The original keeps them, for another upstream. */
export function withoutMarks(body: JsonObject): JsonObject {
  if (!Array.isArray(body.input)) return body
  const input = body.input.filter(
    (item) => !isObject(item) || item.type !== 'reasoning' || stringOf(item.encrypted_content)?.startsWith(mark) !== true,
  )
  return input.length === body.input.length ? body : { ...body, input }
}
