/**
 * Edits of a Gemini request: putting back what denial splicing took out. A history the vendor accepts has the answers to all
 * calls of the model in what the user says next, in their order.
 */
import { asText, isObject, type JsonObject, type JsonValue } from '../../../core/json.ts'
import type { OfferedTool, SplicedRound, SpliceRecord } from '../../dialect.ts'
import { idsOfParts, isCall, noticePart, partsOf, wireIdOf } from './calls.ts'
import { settleSpelling } from './spelling.ts'
import { addTools, removeTools } from './tools.ts'

export function removeGeminiTools(body: JsonObject, names: ReadonlySet<string>): void {
  removeTools(body, names)
}

export function addGeminiTools(body: JsonObject, tools: readonly OfferedTool[]): void {
  addTools(body, tools)
}

export function replaceGeminiResult(body: JsonObject, index: number, position: number, text: string): void {
  const answers = partsOf(contentsOf(body)[index]).filter((part) => isObject(part.functionResponse))
  const answer = answers[position]?.functionResponse
  if (!isObject(answer)) return
  const isError = isObject(answer.response) && answer.response.error !== undefined
  answer.response = { [isError ? 'error' : 'output']: text }
  // Media of it say as much as its words.
  delete answer.parts
}

export function restoreGemini(body: JsonObject, index: number, record: SpliceRecord): number {
  const contents = contentsOf(body)
  const before = contents.length
  let end = index
  while (roleOf(contents[end]) === 'model') end += 1
  if (end === index) return 0
  const shown = contents.slice(index, end).flatMap(partsOf)
  const made = deliveredParts(shown, record)
  const parts = withDropped(made, record)
  // Nothing was taken out of this message itself: it stays in the pieces it came in.
  if (record.dropped.length > 0 || record.delivered !== undefined) {
    contents.splice(index, end - index, { role: 'model', parts })
    end = index + 1
  }
  if (record.dropped.length > 0) answerDropped(contents, end, parts, record)
  contents.splice(index, 0, ...record.rounds.flatMap(roundContents))
  return contents.length - before
}

/** The parts of the message as the model made it, as far as the client has kept its calls. */
function deliveredParts(shown: JsonObject[], { delivered, dropped }: SpliceRecord): JsonObject[] {
  if (delivered === undefined) return shown
  const shownIds = idsOfParts(shown)
  const known = new Set([...shownIds.values(), ...dropped.map(({ id }) => id)])
  // Words of the gateway's own are text in every dialect.
  const parts = typeof delivered.content === 'string' ? [{ text: delivered.content }] : partsOf(delivered)
  const ids = idsOfParts(parts)
  const made = parts.filter((part) => !isCall(part) || known.has(ids.get(part) ?? ''))
  const present = new Set(ids.values())
  const lost = shown.filter((part) => isCall(part) && !present.has(shownIds.get(part) ?? ''))
  return made.length === 0 ? shown : [...made, ...lost]
}

/** Each dropped call at its place among the calls. */
function withDropped(parts: readonly JsonObject[], { dropped }: SpliceRecord): JsonObject[] {
  const present = new Set(idsOfParts(parts).values())
  const result = [...parts]
  for (const refused of [...dropped].sort((a, b) => a.position - b.position)) {
    if (present.has(refused.id)) continue
    const places = result.flatMap((part, at) => (isCall(part) ? [at] : []))
    const at = places[refused.position] ?? (places.length === 0 ? result.length : (places.at(-1) ?? 0) + 1)
    result.splice(at, 0, refused.call)
  }
  return result
}

/** The answers to dropped calls, each before the first answer to a later call. */
function answerDropped(contents: JsonValue[], index: number, parts: readonly JsonObject[], { dropped }: SpliceRecord): void {
  const next = contents[index]
  const nextParts = isObject(next) && roleOf(next) !== 'model' ? partsOf(next) : []
  const answers = nextParts.filter((part) => isObject(part.functionResponse))
  const calls = [...idsOfParts(parts)].map(([part, id]) => ({ id, name: nameOf(part.functionCall), wireId: wireIdOf(part) }))
  const waiting = calls.filter(({ id }) => !dropped.some((refused) => refused.id === id))
  const answered = answers.map((part) => {
    const response = isObject(part.functionResponse) ? part.functionResponse : {}
    const found =
      waiting.find(({ wireId }) => wireId !== '' && wireId === response.id) ?? waiting.find(({ name }) => name === nameOf(response))
    if (found !== undefined) waiting.splice(waiting.indexOf(found), 1)
    return { part, order: calls.findIndex((call) => call === found) }
  })
  for (const one of dropped) {
    const order = calls.findIndex(({ id }) => id === one.id)
    const later = answered.findIndex((answer) => answer.order > order)
    answered.splice(later < 0 ? answered.length : later, 0, { part: noticePart(one.call, one), order })
  }
  const merged = answered.map(({ part }) => part)
  if (isObject(next) && answers.length > 0) next.parts = [...merged, ...nextParts.filter((part) => !isObject(part.functionResponse))]
  else contents.splice(index, 0, { role: 'user', parts: merged })
}

export function addGeminiNote(body: JsonObject, index: number, text: string): number {
  const content = contentsOf(body)[index]
  if (isObject(content) && roleOf(content) === 'user') content.parts = [...partsOf(content), { text }]
  return 0
}

export function appendGeminiRound(body: JsonObject, round: SplicedRound): void {
  contentsOf(body).push(...roundContents(round))
}

function roundContents({ assistant, calls }: SplicedRound): JsonObject[] {
  const answers = [...idsOfParts(partsOf(assistant))].map(([part, id]) => {
    return noticePart(part, calls.find((call) => call.id === id) ?? { name: '', notice: 'not run' })
  })
  return [assistant, { role: 'user', parts: answers }]
}

/** The contents of a long body are parsed anew when they are asked for. */
function contentsOf(body: JsonObject): JsonValue[] {
  if (!Array.isArray(body.contents)) return []
  settleSpelling(body.contents)
  return body.contents
}

function roleOf(content: JsonValue | undefined): string {
  if (!isObject(content)) return ''
  return content.role === 'model' ? 'model' : 'user'
}

function nameOf(value: JsonValue | undefined): string {
  return isObject(value) ? asText(value.name) : ''
}
