/** What the items of a responses request say, one view per message as people mean it: items of the model that follow one another are one answer. */
import { isObject, type JsonObject, type JsonValue } from '../../../core/json.ts'
import type { MessageView, ToolCallView } from '../../dialect.ts'
import { invalid, isAbsent, requireArray, requireObject, requireString, unsupported } from '../../request/fields.ts'
import { textInside } from '../../request/media-digests.ts'
import { answeredId, isClientCall, isOutput, readCall } from './calls.ts'
import { contentText, isModels, outputText, textOfItem, typeOfItem } from './items.ts'
import { computerRefused, readTools } from './tools.ts'

const roles: Readonly<Record<string, MessageView['role']>> = { user: 'user', system: 'system', developer: 'system' }

/** They stand before the conversation: index -1. */
export function readInstructions(value: JsonValue | undefined): MessageView | undefined {
  if (isAbsent(value)) return undefined
  return { index: -1, role: 'system', text: requireString(value, 'instructions'), calls: [], results: [], fromUser: false }
}

/** Views of the input. Throws `request.invalid` or `request.unsupported` naming the field. The index of one is that of its first item. */
export function readInput(input: JsonValue | undefined, from: number): MessageView[] {
  if (typeof input === 'string') return [{ index: from, role: 'user', text: input, calls: [], results: [], fromUser: true }]
  const items = requireArray(input, 'input').map((item, index) => requireObject(item, `input[${index}]`))
  const views: MessageView[] = []
  for (let at = 0; at < items.length;) {
    const end = isModels(items[at] as JsonObject) ? endOfAnswer(items, at) : at + 1
    views.push(isModels(items[at] as JsonObject) ? readAnswered(items, at, end, from) : readOther(items[at] as JsonObject, at, from))
    at = end
  }
  return views
}

/** Where the items of an answer that begins at `at` end. */
export function endOfAnswer(items: readonly JsonValue[], at: number): number {
  let end = at
  for (let item = items[end]; isObject(item) && isModels(item); item = items[end]) end += 1
  return end
}

function readAnswered(items: readonly JsonObject[], at: number, end: number, from: number): MessageView {
  const texts: string[] = []
  const calls: ToolCallView[] = []
  for (const [index, item] of items.slice(at, end).entries()) {
    const path = `input[${at + index}]`
    if (item.type === 'computer_call') throw computerRefused(path)
    texts.push(...textOfItem(item, path))
    if (!isClientCall(item)) continue
    const call = readCall(item, path)
    if (calls.some(({ id }) => id === call.id)) throw invalid(`${path}.call_id`, 'another call of the answer has this id')
    calls.push(call)
  }
  return { index: from + at, role: 'assistant', text: texts.join('\n'), calls, results: [], fromUser: false }
}

function readOther(item: JsonObject, at: number, from: number): MessageView {
  const path = `input[${at}]`
  const index = from + at
  const type = typeOfItem(item)
  if (type === 'message') {
    const name = requireString(item.role, `${path}.role`)
    const role = Object.hasOwn(roles, name) ? roles[name] : undefined
    if (role === undefined) throw invalid(`${path}.role`, 'it is none of user, assistant, system, developer')
    if (isAbsent(item.content)) throw invalid(`${path}.content`, 'it is missing')
    return { index, role, text: contentText(item.content, `${path}.content`), calls: [], results: [], fromUser: role === 'user' }
  }
  if (isOutput(item)) {
    if (item.type === 'computer_call_output') throw computerRefused(path)
    const callId = answeredId(item)
    if (callId === undefined) throw invalid(`${path}.call_id`, 'it must be a non-empty string')
    // Tools that a search found are offered from here on; only the client's own can be.
    if (item.type === 'tool_search_output' && readTools(item.tools, `${path}.tools`).some(({ runs }) => runs === 'vendor'))
      throw unsupported(`${path}.tools`, 'a search finds tools that the client runs')
    return {
      index,
      role: 'tool',
      text: '',
      calls: [],
      results: [{ callId, text: outputText(item, path), isError: undefined }],
      fromUser: false,
    }
  }
  if (type === 'item_reference') throw unsupported(path, 'nothing is kept here (`responses.keep`): send the item itself')
  if (type === 'additional_tools' || type === 'configuration_update')
    throw unsupported(path, 'what is offered is decided before the conversation: use `tools`')
  if (type === '') throw invalid(`${path}.type`, 'it must be a string')
  return { index, role: 'user', text: textInside(item).join('\n'), calls: [], results: [], fromUser: false }
}
