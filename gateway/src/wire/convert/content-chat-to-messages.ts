/**
 * Content of chat messages as blocks of the messages dialect. Text the messages API refuses (empty, white space only)
 * is left out; `cache_control` on a part survives on its block.
 */
import type { JsonObject, JsonValue } from '../../core/json.ts'
import { filePartToBlock, imagePartToBlock } from './media.ts'
import { invalid, unsupported } from '../request/fields.ts'
import { copyGiven, requireObjects, stringOf, tag } from './reading.ts'

/** Stands for a message that says nothing, where the messages API needs one. */
export const emptyText = '(no content)'

/** A text block, or none for text the messages API refuses. */
export function textBlocks(text: string): JsonObject[] {
  return text.trim() === '' ? [] : [{ type: 'text', text }]
}

type PartConverter = (part: JsonObject, field: string) => JsonObject[]

const text: PartConverter = (part, field) => {
  const value = stringOf(part.text)
  if (value === undefined) throw invalid(`${field}.text`, 'it must be a string')
  return textBlocks(value)
}

const converters: Readonly<Record<string, PartConverter>> = {
  text,
  refusal: (part) => textBlocks(stringOf(part.refusal) ?? ''),
  image_url: (part, field) => [imagePartToBlock(part, field)],
  file: (part, field) => [filePartToBlock(part, field)],
}

/** What each role may carry; anything else is refused by name. */
const partsOfRole = {
  system: ['text'],
  user: ['text', 'image_url', 'file'],
  assistant: ['text', 'refusal'],
  tool: ['text', 'image_url', 'file'],
} as const

/** Blocks for `content` of a message in this role. Throws `request.invalid` or `request.unsupported` naming the part. */
export function contentBlocks(content: JsonValue | undefined, role: keyof typeof partsOfRole, field: string): JsonObject[] {
  if (content === undefined || content === null) return []
  if (typeof content === 'string') return textBlocks(content)
  return requireObjects(content, field).flatMap((part, index) => partBlocks(part, partsOfRole[role], `${field}[${index}]`))
}

function partBlocks(part: JsonObject, allowed: readonly string[], field: string): JsonObject[] {
  const kind = stringOf(part.type) ?? ''
  const convert = allowed.includes(kind) ? converters[kind] : undefined
  if (convert === undefined) throw unsupported(field, `a part of type ${tag(part.type)} has no counterpart in the messages API here`)
  const blocks = convert(part, field)
  for (const block of blocks) copyGiven(part, block, ['cache_control'])
  return blocks
}
