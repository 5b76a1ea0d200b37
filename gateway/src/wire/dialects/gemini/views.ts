/** Views of Gemini contents: what their parts say, call and answer, over the original objects. */
import { asText, canonicalJson, isObject, type JsonObject, type JsonValue } from '../../../core/json.ts'
import type { MessageView, ToolCallView, ToolResultView } from '../../dialect.ts'
import { invalid, isAbsent, requireArray, requireName, requireObject, requireObjects, requireString } from '../../request/fields.ts'
import { mediaDigest, textInside } from '../../request/media-digests.ts'
import { CallReader, isCall } from './calls.ts'

/** Calls that wait for their answer. */
type OpenCall = Pick<ToolCallView, 'id' | 'name' | 'wireId'>

/**
 * Reads contents in order. Those of the model that follow one another are one answer, which clients that collect a stream keep in
 * pieces. Answers of tools find their calls by id where both have one, else by name and order.
 */
export class ContentReader {
  readonly views: MessageView[]
  #open: OpenCall[] = []
  #lastCalls: CallReader
  readonly #keepsWireIds: boolean

  /** `known`: views of contents that stand before those that will be read. `keepsWireIds`: as of a `CallReader`. */
  constructor(known: readonly MessageView[], keepsWireIds = false) {
    this.views = [...known]
    this.#keepsWireIds = keepsWireIds
    this.#lastCalls = new CallReader({ keepsWireIds })
    this.#lastCalls.goOn(known.at(-1)?.calls ?? [])
    for (const view of known) {
      if (view.role === 'assistant') this.#open = [...view.calls]
      for (const { callId } of view.results) this.#close(callId)
    }
  }

  /** Throws `request.invalid` naming the field. */
  read(value: JsonValue, index: number): void {
    const path = `contents[${index}]`
    const content = requireObject(value, path)
    const role = content.role
    const parts = isAbsent(content.parts) ? [] : requireObjects(content.parts, `${path}.parts`)
    if (role === 'model') this.#readModel(parts, index, path)
    else if (isAbsent(role) || role === 'user' || role === 'function') this.#readUser(parts, index, path)
    else throw invalid(`${path}.role`, 'it is none of user, model')
  }

  #readModel(parts: readonly JsonObject[], index: number, path: string): void {
    const last = this.views.at(-1)
    const before = last?.role === 'assistant' ? last : undefined
    const calls: ToolCallView[] = []
    if (before === undefined) {
      this.#open = []
      this.#lastCalls = new CallReader({ keepsWireIds: this.#keepsWireIds })
    }
    for (const [at, part] of parts.entries()) {
      if (isObject(part.functionResponse)) throw invalid(`${path}.parts[${at}]`, 'only the user answers tool calls')
      if (!isCall(part)) continue
      const call = this.#lastCalls.read(part, `${path}.parts[${at}]`)
      calls.push(call)
      this.#open.push(call)
    }
    const view: MessageView = {
      index: before?.index ?? index,
      role: 'assistant',
      text: (before?.text ?? '') + textOfParts(parts, `${path}.parts`),
      calls: [...(before?.calls ?? []), ...calls],
      results: [],
      fromUser: false,
    }
    if (before === undefined) this.views.push(view)
    else this.views[this.views.length - 1] = view
  }

  #readUser(parts: readonly JsonObject[], index: number, path: string): void {
    const results: ToolResultView[] = []
    const texts: string[] = []
    for (const [at, part] of parts.entries()) {
      const partPath = `${path}.parts[${at}]`
      if (isCall(part)) throw invalid(partPath, 'only the model makes tool calls')
      if (isObject(part.functionResponse)) results.push(this.#readResult(part.functionResponse, `${partPath}.functionResponse`))
      else texts.push(...partTexts(part, partPath))
    }
    this.views.push({ index, role: 'user', text: texts.join('\n'), calls: [], results, fromUser: parts.length > results.length })
  }

  #readResult(result: JsonObject, path: string): ToolResultView {
    const name = requireName(result.name, `${path}.name`)
    const response = isAbsent(result.response) ? {} : requireObject(result.response, `${path}.response`)
    const id = asText(result.id)
    const call = this.#open.find((open) => id !== '' && (open.wireId ?? open.id) === id) ?? this.#open.find((open) => open.name === name)
    const callId = call?.id ?? (id === '' ? `unanswered_${name}` : id)
    this.#close(callId)
    const media = isAbsent(result.parts) ? [] : requireObjects(result.parts, `${path}.parts`)
    const texts = [...leavesOf(response), ...media.flatMap((part, at) => partTexts(part, `${path}.parts[${at}]`))]
    return { callId, text: texts.join('\n'), isError: !isAbsent(response.error) || response.isError === true }
  }

  #close(callId: string): void {
    const at = this.#open.findIndex(({ id }) => id === callId)
    if (at >= 0) this.#open.splice(at, 1)
  }
}

/** The system instruction, which stands before the contents: index -1. */
export function readSystem(value: JsonValue | undefined): MessageView | undefined {
  if (isAbsent(value)) return undefined
  // The API takes bare text as well.
  const parts =
    typeof value === 'string' ? [{ text: value }] : requireArray(requireObject(value, 'systemInstruction').parts, 'systemInstruction.parts')
  const texts = parts.flatMap((part, at) =>
    partTexts(requireObject(part, `systemInstruction.parts[${at}]`), `systemInstruction.parts[${at}]`),
  )
  return { index: -1, role: 'system', text: texts.join('\n'), calls: [], results: [], fromUser: false }
}

/** What the model said in these parts, in the pieces in which it came. */
export function textOfParts(parts: readonly JsonObject[], path: string): string {
  return parts.flatMap((part, at) => (isCall(part) ? [] : partTexts(part, `${path}[${at}]`))).join('')
}

/** Thoughts and their signatures say nothing here. */
function partTexts(part: JsonObject, path: string): string[] {
  if (part.thought === true) return []
  if (!isAbsent(part.text)) return [requireString(part.text, `${path}.text`)]
  if (isObject(part.inlineData)) return [mediaDigest(mediaKind(part.inlineData), part.inlineData.data)]
  if (isObject(part.fileData)) return [mediaDigest(mediaKind(part.fileData), part.fileData.fileUri)]
  const { thoughtSignature: _signature, ...rest } = part
  // What the vendor's own tools did, and parts newer than this code: every text in them is seen.
  return textInside(rest)
}

function mediaKind({ mimeType }: JsonObject): string {
  const type = asText(mimeType)
  return type.startsWith('image/') ? 'image' : type.startsWith('audio/') || type.startsWith('video/') ? type.slice(0, 5) : 'document'
}

const maxDepth = 64

/** Everything a tool said, each word as it stands: escapes of JSON would hide words. */
function leavesOf(value: JsonValue | undefined, depth = 0): string[] {
  if (typeof value === 'string') return [value]
  if (typeof value !== 'object' || value === null) return isAbsent(value) ? [] : [String(value)]
  if (depth > maxDepth) return [canonicalJson(value)]
  if (Array.isArray(value)) return value.flatMap((item) => leavesOf(item, depth + 1))
  return isObject(value) ? Object.values(value).flatMap((item) => leavesOf(item, depth + 1)) : [canonicalJson(value)]
}
