/** Where words stand in a chat-completions chunk or answer. */
import type { JsonObject } from '../../../core/json.ts'
import { isObject } from '../../../core/json.ts'
import type { ShownText } from '../../dialect.ts'
import { objectsOf } from '../../request/fields.ts'

export function chatTexts({ choices }: JsonObject): readonly ShownText[] {
  return objectsOf(choices).flatMap((choice, at) => {
    const holder = isObject(choice.delta) ? choice.delta : choice.message
    if (!isObject(holder)) return []
    const index = typeof choice.index === 'number' ? choice.index : at
    const named = ['content', 'refusal'].flatMap((field) =>
      typeof holder[field] === 'string' ? [{ lane: `${field} ${index}`, holder, field }] : [],
    )
    // Some vendors answer with a list of parts.
    const parts = objectsOf(holder.content).filter((part) => typeof part.text === 'string')
    return [...named, ...parts.map((part) => ({ lane: `content ${index}`, holder: part, field: 'text' }))]
  })
}
