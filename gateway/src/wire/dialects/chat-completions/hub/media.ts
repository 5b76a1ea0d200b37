/** Images and files of chat-completions: data and http(s) URLs. */
import type { JsonObject } from '../../../../core/json.ts'
import { objectOf, othersOf, stringOf } from '../../../hub/loose-fields.ts'
import type { HubMedia, HubPart, MediaSource } from '../../../hub/conversation.ts'
import { invalid, unsupported } from '../../../request/fields.ts'

/** A base64 data URL in its parts; undefined for anything else. */
function readDataUrl(url: string): (MediaSource & { readonly from: 'bytes' }) | undefined {
  const comma = url.indexOf(',')
  if (comma < 0 || comma > 256 || url.slice(0, 5).toLowerCase() !== 'data:') return undefined
  const head = url.slice(5, comma).toLowerCase().split(';')
  if (head.at(-1)?.trim() !== 'base64') return undefined
  const mediaType = (head[0] ?? '').trim()
  return { from: 'bytes', mediaType: mediaType === 'image/jpg' ? 'image/jpeg' : mediaType, data: url.slice(comma + 1) }
}

function isHttpUrl(url: string): boolean {
  const start = url.slice(0, 8).toLowerCase()
  return start.startsWith('http://') || start === 'https://'
}

/** An `image_url` part. */
export function readImagePart(part: JsonObject, field: string): HubMedia {
  const at = `${field}.image_url.url`
  const image = objectOf(part.image_url)
  // Some clients send the URL itself instead of an object.
  const url = stringOf(part.image_url) ?? stringOf(image?.url)
  if (url === undefined) throw invalid(at, 'it must be a string')
  const source = isHttpUrl(url) ? { from: 'url' as const, url } : readDataUrl(url)
  if (source === undefined) throw invalid(at, 'it must be an http(s) URL or a base64 data URL')
  return { kind: 'media', media: 'image', source, at, extras: { openai: othersOf(image ?? {}, new Set(['url'])) } }
}

/** A `file` part. */
export function readFilePart(part: JsonObject, field: string): HubMedia {
  const file = objectOf(part.file)
  const title = stringOf(file?.filename)
  const read = (source: MediaSource, at: string): HubMedia => ({
    kind: 'media',
    media: 'document',
    source,
    at,
    title: title === '' ? undefined : title,
    extras: { openai: {} },
  })
  if (file?.file_data === undefined && file?.file_id !== undefined)
    return read({ from: 'file', family: 'openai', value: file }, `${field}.file.file_id`)
  const source = readDataUrl(stringOf(file?.file_data) ?? '')
  if (source === undefined) throw invalid(`${field}.file.file_data`, 'it must be a base64 data URL')
  return read(source, `${field}.file.file_data`)
}

/** A medium as parts of a message: media as they are, text documents as text that names the title. */
export function writeMedia(media: HubMedia): JsonObject[] {
  const { source, title, context, at } = media
  if (media.media === 'image') return [{ type: 'image_url', image_url: { url: imageUrl(source, at), ...media.extras?.openai } }]
  const before = context === undefined || context === '' ? [] : [textPart(context)]
  if (source.from === 'bytes' && (source.mediaType === 'application/pdf' || media.extras?.openai !== undefined)) {
    const file = { filename: title ?? 'document.pdf', file_data: `data:${source.mediaType};base64,${source.data}` }
    return [...before, { type: 'file', file }]
  }
  if (source.from === 'file' && source.family === 'openai') return [...before, { type: 'file', file: source.value }]
  if (source.from === 'text') return [...before, textPart(titled(title, source.text))]
  if (source.from === 'parts')
    return [...before, ...(title === undefined ? [] : [textPart(titled(title, ''))]), ...source.parts.flatMap(writeInner)]
  throw unsupported(at, 'chat-completions takes documents as base64 PDF or text only', 'Send the document itself.')
}

function writeInner(part: HubPart): JsonObject[] {
  if (part.kind === 'text') return [textPart(part.text)]
  return part.kind === 'media' ? writeMedia(part) : []
}

function imageUrl(source: MediaSource, at: string): string {
  if (source.from === 'url') return source.url
  if (source.from === 'bytes') return `data:${source.mediaType};base64,${source.data}`
  throw unsupported(at, 'a file id means nothing to another vendor', 'Send the image itself.')
}

/** Text under its title. */
export function titled(title: string | undefined, body: string): string {
  return title === undefined || title === '' ? body : `[${title}]\n${body}`
}

function textPart(text: string): JsonObject {
  return { type: 'text', text }
}
