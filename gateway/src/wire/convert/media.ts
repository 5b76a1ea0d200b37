/**
 * Images and documents: data and http(s) URLs in chat-completions, typed sources in messages.
 * File ids belong to one vendor's storage and are refused, as are media types the target does not read.
 */
import type { JsonObject, JsonValue } from '../../core/json.ts'
import { invalid, unsupported } from '../request/fields.ts'
import { objectOf, stringOf } from './reading.ts'

const imageTypes: ReadonlySet<string> = new Set(['image/jpeg', 'image/png', 'image/gif', 'image/webp'])

interface DataUrl {
  readonly mediaType: string
  readonly data: string
}

/** A base64 data URL in its parts; undefined for anything else. */
function readDataUrl(url: string): DataUrl | undefined {
  const comma = url.indexOf(',')
  if (comma < 0 || comma > 256 || url.slice(0, 5).toLowerCase() !== 'data:') return undefined
  const head = url.slice(5, comma).toLowerCase().split(';')
  if (head.at(-1)?.trim() !== 'base64') return undefined
  const mediaType = (head[0] ?? '').trim()
  return { mediaType: mediaType === 'image/jpg' ? 'image/jpeg' : mediaType, data: url.slice(comma + 1) }
}

function isHttpUrl(url: string): boolean {
  const start = url.slice(0, 8).toLowerCase()
  return start.startsWith('http://') || start === 'https://'
}

/** chat `image_url` part to a messages `image` block. */
export function imagePartToBlock(part: JsonObject, field: string): JsonObject {
  // Some clients send the URL itself instead of an object.
  const url = stringOf(part.image_url) ?? stringOf(objectOf(part.image_url)?.url)
  if (url === undefined) throw invalid(`${field}.image_url.url`, 'it must be a string')
  if (isHttpUrl(url)) return { type: 'image', source: { type: 'url', url } }
  const inline = readDataUrl(url)
  if (inline === undefined) throw invalid(`${field}.image_url.url`, 'it must be an http(s) URL or a base64 data URL')
  if (!imageTypes.has(inline.mediaType))
    throw unsupported(`${field}.image_url.url`, 'the messages API reads JPEG, PNG, GIF and WebP images')
  return { type: 'image', source: { type: 'base64', media_type: inline.mediaType, data: inline.data } }
}

/** messages `image` block to a chat `image_url` part. */
export function imageBlockToPart(block: JsonObject, field: string): JsonObject {
  const source = objectOf(block.source)
  if (source?.type === 'url' && typeof source.url === 'string') return { type: 'image_url', image_url: { url: source.url } }
  if (source?.type === 'base64' && typeof source.media_type === 'string' && typeof source.data === 'string') {
    return { type: 'image_url', image_url: { url: `data:${source.media_type};base64,${source.data}` } }
  }
  if (source?.type === 'file') throw unsupported(`${field}.source`, 'a file id means nothing to another vendor', 'Send the image itself.')
  throw invalid(`${field}.source`, 'it must be a base64 or url source')
}

/** chat `file` part to a messages `document` block: PDF as it is, plain text decoded. */
export function filePartToBlock(part: JsonObject, field: string): JsonObject {
  const file = objectOf(part.file)
  if (file?.file_data === undefined && file?.file_id !== undefined) {
    throw unsupported(`${field}.file.file_id`, 'a file id means nothing to another vendor', 'Send the file as `file_data`.')
  }
  const inline = readDataUrl(stringOf(file?.file_data) ?? '')
  if (inline === undefined) throw invalid(`${field}.file.file_data`, 'it must be a base64 data URL')
  const title = stringOf(file?.filename)
  return { type: 'document', source: documentSource(inline, field), ...(title === undefined || title === '' ? {} : { title }) }
}

function documentSource(inline: DataUrl, field: string): JsonObject {
  if (inline.mediaType === 'application/pdf') return { type: 'base64', media_type: 'application/pdf', data: inline.data }
  if (inline.mediaType === 'text/plain') {
    return { type: 'text', media_type: 'text/plain', data: Buffer.from(inline.data, 'base64').toString('utf8') }
  }
  throw unsupported(`${field}.file.file_data`, 'the messages API reads PDF and plain text documents')
}

/** messages `document` block to chat parts: PDF as a file; text documents as text that names the title. */
export function documentBlockToParts(block: JsonObject, field: string): JsonObject[] {
  const source = objectOf(block.source)
  const title = stringOf(block.title)
  const context = stringOf(block.context)
  const before: JsonObject[] = context === undefined || context === '' ? [] : [{ type: 'text', text: context }]
  if (source?.type === 'base64' && source.media_type === 'application/pdf' && typeof source.data === 'string') {
    const file = { filename: title ?? 'document.pdf', file_data: `data:application/pdf;base64,${source.data}` }
    return [...before, { type: 'file', file }]
  }
  if (source?.type === 'text' && typeof source.data === 'string') return [...before, textPart(titled(title, source.data))]
  if (source?.type === 'content') return [...before, ...contentSourceParts(source.content, title, field)]
  throw unsupported(`${field}.source`, 'chat-completions takes documents as base64 PDF or text only', 'Send the document itself.')
}

function contentSourceParts(content: JsonValue | undefined, title: string | undefined, field: string): JsonObject[] {
  if (typeof content === 'string') return [textPart(titled(title, content))]
  const parts: JsonObject[] = title === undefined ? [] : [textPart(titled(title, ''))]
  for (const [index, item] of (Array.isArray(content) ? content : []).entries()) {
    const block = objectOf(item)
    if (block?.type === 'text' && typeof block.text === 'string') parts.push(textPart(block.text))
    else if (block?.type === 'image') parts.push(imageBlockToPart(block, `${field}.source.content[${index}]`))
    else throw invalid(`${field}.source.content[${index}]`, 'it must be a text or image block')
  }
  return parts
}

/** messages `search_result` block as text: its title and source are what a citation would show. */
export function searchResultText(block: JsonObject): string {
  const texts = Array.isArray(block.content) ? block.content.map((item) => stringOf(objectOf(item)?.text) ?? '') : []
  return titled([stringOf(block.title), stringOf(block.source)].filter((item) => item !== undefined).join(' - '), texts.join('\n'))
}

function titled(title: string | undefined, body: string): string {
  return title === undefined || title === '' ? body : `[${title}]\n${body}`
}

function textPart(text: string): JsonObject {
  return { type: 'text', text }
}
