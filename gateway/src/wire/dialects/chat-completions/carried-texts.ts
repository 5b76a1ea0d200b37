/** What a chat-completions chunk or answer carries beside its words: what the model thought, and what calls are made with. */
import { isObject, type JsonObject } from '../../../core/json.ts'
import type { CarriedText } from '../../dialect.ts'
import { objectsOf } from '../../request/fields.ts'

const thoughts = ['reasoning_content', 'reasoning']

export function chatCarriedTexts({ choices }: JsonObject): readonly CarriedText[] {
  return objectsOf(choices).flatMap((choice, at) => {
    const holder = isObject(choice.delta) ? choice.delta : choice.message
    if (!isObject(holder)) return []
    const index = typeof choice.index === 'number' ? choice.index : at
    const thought = thoughts.flatMap((field): CarriedText[] =>
      typeof holder[field] === 'string' ? [{ kind: 'thought', lane: `${field} ${index}`, holder, field }] : [],
    )
    const spoken = isObject(holder.audio) && typeof holder.audio.transcript === 'string' ? [holder.audio] : []
    const calls = objectsOf(holder.tool_calls).flatMap((call, place) => {
      const lane = `call ${index} ${typeof call.index === 'number' ? call.index : place}`
      return [...argumentsIn(call.function, 'arguments', lane), ...argumentsIn(call.custom, 'input', lane)]
    })
    return [
      ...thought,
      ...spoken.map((audio): CarriedText => ({ kind: 'thought', lane: `audio ${index}`, holder: audio, field: 'transcript' })),
      ...calls,
    ]
  })
}

function argumentsIn(holder: unknown, field: string, lane: string): readonly CarriedText[] {
  if (!isObject(holder)) return []
  const value = holder[field]
  return typeof value === 'string' || isObject(value) ? [{ kind: 'arguments', lane, holder, field }] : []
}
