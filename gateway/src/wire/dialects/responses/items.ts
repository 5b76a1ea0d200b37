/** What the items of a responses conversation say, and on whose side they stand. */
import { canonicalJson, type JsonObject, type JsonValue } from '../../../core/json.ts'
import { invalid, isAbsent, malformed, requireObject, requireString } from '../../request/fields.ts'
import { mediaDigest, textInside } from '../../request/media-digests.ts'
import { answeredObjects } from '../upstream-fields.ts'
import { isClientCall, isOutput } from './calls.ts'

/** What an item is; a message may leave its type out. */
export function typeOfItem(item: JsonObject): string {
  if (typeof item.type === 'string') return item.type
  return item.role === undefined ? '' : 'message'
}

/** The items of an answer. Nobody can tell what an item without a type is, and some clients guess. Throws `upstream.malformed`. */
export function answeredItems(output: JsonValue | undefined): JsonObject[] {
  const items = answeredObjects(output, 'the output of its response')
  if (items.some((item) => typeOfItem(item) === '')) throw malformed('an item of its answer has no type')
  return items
}

const ofTheModel: ReadonlySet<string> = new Set([
  'reasoning',
  'compaction',
  'mcp_list_tools',
  'mcp_approval_request',
  'program',
  'program_output',
])

/** Whether an item is part of what a model answered: its words, its reasoning, calls of its own and of the client's tools. */
export function isModels(item: JsonObject): boolean {
  const type = typeOfItem(item)
  if (type === 'message') return item.role === 'assistant'
  // What the vendor itself has run stands in the answer with its result.
  if (isOutput(item)) return item.execution === 'server'
  return ofTheModel.has(type) || type.endsWith('_call')
}

/** What a model says by itself: of everything else but calls for the client the vendor has run something, or shows what it found. */
const ownItems: ReadonlySet<string> = new Set(['message', 'reasoning', 'compaction'])

/** Whether an item of an answer shows that a tool of the vendor's has run. */
export function isVendorRun(item: JsonObject): boolean {
  return !ownItems.has(typeOfItem(item)) && !isClientCall(item)
}

/** The words of an item of the model's. Throws `request.invalid` naming the field. */
export function textOfItem(item: JsonObject, path: string): string[] {
  const type = typeOfItem(item)
  if (type === 'message') return [contentText(item.content, `${path}.content`)].filter((text) => text !== '')
  if (type === 'reasoning' || type === 'compaction' || isClientCall(item)) return []
  // What the vendor's own tools did and read: every text in it is seen.
  const { status: _status, ...said } = item
  return textInside(said)
}

/** The text of a `content` or an `output`: one text or a list of parts. Throws `request.invalid` naming the field. */
export function contentText(content: JsonValue | undefined, path: string): string {
  if (isAbsent(content)) return ''
  if (typeof content === 'string') return content
  if (!Array.isArray(content)) throw invalid(path, 'it must be a string or an array of parts')
  return content.map((part, index) => partText(requireObject(part, `${path}[${index}]`), `${path}[${index}]`)).join('\n')
}

function partText(part: JsonObject, path: string): string {
  switch (part.type) {
    case 'input_text':
    case 'output_text':
    case 'text':
    case 'summary_text':
    case 'reasoning_text':
      return requireString(part.text, `${path}.text`)
    case 'refusal':
      return requireString(part.refusal, `${path}.refusal`)
    case 'input_image':
      return mediaDigest('image', part.image_url ?? part.file_id)
    case 'input_file':
      return mediaDigest('file', part.file_data ?? part.file_url ?? part.file_id ?? part)
    default:
      // A part of a vendor we do not know: named by its hash, and every text in it is seen.
      return [mediaDigest('part', part), ...textInside(part)].join('\n')
  }
}

/** The text of what answers a call. */
export function outputText(item: JsonObject, path: string): string {
  const { output } = item
  if (item.type === 'function_call_output' || item.type === 'custom_tool_call_output') return contentText(output, `${path}.output`)
  if (typeof output === 'string') return output
  return isAbsent(output) ? canonicalJson(item.tools ?? '') : textInside(output).join('\n')
}
