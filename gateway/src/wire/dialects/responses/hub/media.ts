/** Images and files of responses: data and http(s) URLs. */
import type { JsonObject } from '../../../../core/json.ts'
import type { HubMedia, HubPart, MediaSource } from '../../../hub/conversation.ts'
import { othersOf, stringOf } from '../../../hub/loose-fields.ts'
import { invalid, unsupported } from '../../../request/fields.ts'

const imageFields: ReadonlySet<string> = new Set(['type', 'image_url', 'file_id'])

/** An `input_image` part. */
export function readImagePart(part: JsonObject, field: string): HubMedia {
  const at = `${field}.image_url`
  const url = stringOf(part.image_url)
  const extras = { responses: othersOf(part, imageFields) }
  if (url === undefined && typeof part.file_id === 'string')
    return { kind: 'media', media: 'image', source: fileOf({ file_id: part.file_id }), at: `${field}.file_id`, extras }
  const source = url === undefined ? undefined : sourceOf(url)
  if (source === undefined) throw invalid(at, 'it must be an http(s) URL or a base64 data URL')
  return { kind: 'media', media: 'image', source, at, extras }
}

/** An `input_file` part. */
export function readFilePart(part: JsonObject, field: string): HubMedia {
  const title = stringOf(part.filename)
  const read = (source: MediaSource, at: string): HubMedia => ({
    kind: 'media',
    media: 'document',
    source,
    at,
    title: title === '' ? undefined : title,
  })
  if (typeof part.file_url === 'string') return read({ from: 'url', url: part.file_url }, `${field}.file_url`)
  if (typeof part.file_id === 'string') return read(fileOf({ file_id: part.file_id }), `${field}.file_id`)
  const source = sourceOf(stringOf(part.file_data) ?? '')
  if (source?.from !== 'bytes') throw invalid(`${field}.file_data`, 'it must be a base64 data URL')
  return read(source, `${field}.file_data`)
}

function fileOf(value: JsonObject): MediaSource {
  return { from: 'file', family: 'responses', value }
}

function sourceOf(url: string): MediaSource | undefined {
  const start = url.slice(0, 8).toLowerCase()
  if (start.startsWith('http://') || start === 'https://') return { from: 'url', url }
  const comma = url.indexOf(',')
  if (comma < 0 || comma > 256 || !start.startsWith('data:')) return undefined
  const head = url.slice(5, comma).toLowerCase().split(';')
  if (head.at(-1)?.trim() !== 'base64') return undefined
  const mediaType = (head[0] ?? '').trim()
  return { from: 'bytes', mediaType: mediaType === 'image/jpg' ? 'image/jpeg' : mediaType, data: url.slice(comma + 1) }
}

/** A medium as parts of a message. Throws `request.unsupported` for what the dialect does not read. */
export function writeMedia(media: HubMedia): JsonObject[] {
  const { source, title, context, at } = media
  if (media.media === 'image') return [{ ...media.extras?.responses, type: 'input_image', ...imageOf(source, at) }]
  const before = context === undefined || context === '' ? [] : [textPart(context)]
  switch (source.from) {
    case 'bytes': {
      const file_data = `data:${source.mediaType};base64,${source.data}`
      return [...before, { type: 'input_file', filename: title ?? 'document.pdf', file_data }]
    }
    case 'url':
      return [...before, { type: 'input_file', file_url: source.url }]
    case 'text':
      return [...before, textPart(titled(title, source.text))]
    case 'parts':
      return [...before, ...(title === undefined ? [] : [textPart(titled(title, ''))]), ...source.parts.flatMap(writeInner)]
    default:
      if (source.family === 'responses') return [...before, { type: 'input_file', ...source.value }]
      throw unsupported(at, 'a file id means nothing to another vendor', 'Send the document itself.')
  }
}

function writeInner(part: HubPart): JsonObject[] {
  if (part.kind === 'text') return [textPart(part.text)]
  return part.kind === 'media' ? writeMedia(part) : []
}

function imageOf(source: MediaSource, at: string): JsonObject {
  if (source.from === 'url') return { image_url: source.url }
  if (source.from === 'bytes') return { image_url: `data:${source.mediaType};base64,${source.data}` }
  if (source.from === 'file' && source.family === 'responses') return source.value
  throw unsupported(at, 'a file id means nothing to another vendor', 'Send the image itself.')
}

function titled(title: string | undefined, body: string): string {
  return title === undefined || title === '' ? body : `[${title}]\n${body}`
}

export function textPart(text: string): JsonObject {
  return { type: 'input_text', text }
}
