/** Edits of single chat-completions chunks: splitting off what may pass, dropping refused calls, and numbering the rest anew. */
import { asText, isObject, type JsonObject } from '../../../core/json.ts'
import { choiceIndex, hasEntries } from './round.ts'
import { isAbsent, objectsOf } from '../../request/fields.ts'

/** New index of every call that stays, by choice and old index; calls that are missing are dropped. */
export type CallNumbers = ReadonlyMap<number, ReadonlyMap<number, number>>

/** A chunk as an event. */
export function writeChunk(chunk: JsonObject): string {
  return `data: ${JSON.stringify(chunk)}\n\n`
}

/** Splits a chunk that must be held: its words may pass, the rest waits. `words` is undefined when it says nothing. */
export function splitChunk(chunk: JsonObject): { readonly words: JsonObject | undefined; readonly rest: JsonObject } {
  const choices = objectsOf(chunk.choices)
  const speaking = choices.filter((choice) => isObject(choice.delta) && hasWords(choice.delta))
  if (speaking.length === 0) return { words: undefined, rest: chunk }
  const { usage: _usage, ...frame } = chunk
  const words = speaking.map((choice) => ({ ...choice, delta: without(choice.delta, 'tool_calls'), finish_reason: null }))
  const rest = choices.map((choice) => {
    if (!speaking.includes(choice) || !isObject(choice.delta)) return choice
    // What is told of the tokens goes with the words.
    const logprobs = isAbsent(choice.logprobs) ? {} : { logprobs: null }
    return { ...choice, ...logprobs, delta: hasEntries(choice.delta.tool_calls) ? { tool_calls: choice.delta.tool_calls ?? null } : {} }
  })
  return { words: { ...frame, choices: words }, rest: { ...chunk, choices: rest } }
}

/**
 * Writes names that came in pieces whole where they begin, and takes the other pieces out: some clients join them, others
 * keep the first. Edits the chunk; `names` (by choice and index) says `''` for those that are written. True when it did.
 */
export function nameWhole(chunk: JsonObject, names: Map<string, string>): boolean {
  let isEdited = false
  for (const choice of objectsOf(chunk.choices)) {
    if (!isObject(choice.delta)) continue
    for (const call of objectsOf(choice.delta.tool_calls)) {
      const key = `${choiceIndex(choice)}:${Number(call.index)}`
      const name = names.get(key)
      const made = isObject(call.custom) ? call.custom : call.function
      if (name === undefined || !isObject(made) || asText(made.name) === '') continue
      if (name === '') delete made.name
      else made.name = name
      names.set(key, '')
      isEdited = true
    }
  }
  return isEdited
}

/** The chunk with refused calls gone; undefined when nothing is left of it. The same object when it needs no change. */
export function withoutCalls(chunk: JsonObject, numbers: CallNumbers, shown: ReadonlySet<number>): JsonObject | undefined {
  if (!hasEntries(chunk.choices)) return chunk
  let isChanged = false
  const choices = objectsOf(chunk.choices).flatMap((choice) => {
    const index = choiceIndex(choice)
    const kept = numbers.get(index)
    const edited = editChoice(choice, kept ?? new Map())
    if (edited === choice) return [choice]
    isChanged = true
    return isSilent(edited, shown.has(index)) ? [] : [edited]
  })
  if (!isChanged) return chunk
  return choices.length === 0 && isAbsent(chunk.usage) ? undefined : { ...chunk, choices }
}

function editChoice(choice: JsonObject, kept: ReadonlyMap<number, number>): JsonObject {
  const edited = { ...choice }
  let isChanged = false
  if (isObject(choice.delta) && hasEntries(choice.delta.tool_calls)) {
    const before = objectsOf(choice.delta.tool_calls)
    const after = before.flatMap((call) => {
      const index = kept.get(Number(call.index))
      return index === undefined ? [] : [index === call.index ? call : { ...call, index }]
    })
    if (after.length !== before.length || after.some((call, at) => call !== before[at])) {
      isChanged = true
      edited.delta = after.length === 0 ? without(choice.delta, 'tool_calls') : { ...choice.delta, tool_calls: after }
    }
  }
  if (choice.finish_reason === 'tool_calls' && kept.size === 0) {
    isChanged = true
    edited.finish_reason = 'stop'
  }
  return isChanged ? edited : choice
}

/** True when a choice of a chunk tells the client nothing. A role tells something once. */
export function isSilent(choice: JsonObject, isRoleShown: boolean): boolean {
  if (!isAbsent(choice.finish_reason)) return false
  if (!isObject(choice.delta)) return true
  return Object.entries(choice.delta).every(
    ([key, value]) => value === null || value === '' || (key === 'role' && isRoleShown) || (Array.isArray(value) && value.length === 0),
  )
}

function hasWords(delta: JsonObject): boolean {
  return Object.entries(delta).some(
    ([key, value]) => key !== 'tool_calls' && key !== 'role' && (hasEntries(value) || asText(value) !== '' || isObject(value)),
  )
}

function without(value: JsonObject[string] | undefined, key: string): JsonObject {
  const { [key]: _dropped, ...rest } = isObject(value) ? value : {}
  return rest
}
