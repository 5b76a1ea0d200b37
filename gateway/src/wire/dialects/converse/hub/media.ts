/** Images and documents of Converse: a format, and bytes, text or an address in S3. */
import type { JsonObject, JsonValue } from '../../../../core/json.ts'
import type { HubMedia, HubPart, MediaSource } from '../../../hub/conversation.ts'
import { objectOf, stringOf } from '../../../hub/loose-fields.ts'
import { invalid, unsupported } from '../../../request/fields.ts'

const imageTypes: Readonly<Record<string, string>> = { png: 'image/png', jpeg: 'image/jpeg', gif: 'image/gif', webp: 'image/webp' }
const documentTypes: Readonly<Record<string, string>> = {
  pdf: 'application/pdf',
  csv: 'text/csv',
  doc: 'application/msword',
  docx: 'application/vnd.openxmlformats-officedocument.wordprocessingml.document',
  xls: 'application/vnd.ms-excel',
  xlsx: 'application/vnd.openxmlformats-officedocument.spreadsheetml.sheet',
  html: 'text/html',
  txt: 'text/plain',
  md: 'text/markdown',
}

/** The inside of an `image` or `document` block. Throws `request.invalid`. */
export function readMedia(media: HubMedia['media'], block: JsonObject, field: string): HubMedia {
  const at = `${field}.source`
  const types = media === 'image' ? imageTypes : documentTypes
  const format = stringOf(block.format) ?? 'txt'
  const source = readSource(objectOf(block.source) ?? {}, types[format], at)
  const citations = block.citations
  return {
    kind: 'media',
    media,
    source,
    at,
    ...(media === 'document' ? { title: stringOf(block.name), context: stringOf(block.context) } : {}),
    extras: citations === undefined ? undefined : { aws: { citations } },
  }
}

function readSource(source: JsonObject, mediaType: string | undefined, at: string): MediaSource {
  if (typeof source.bytes === 'string') {
    if (mediaType === undefined) throw invalid(at, 'it is of no format that Converse documents')
    return { from: 'bytes', mediaType, data: source.bytes }
  }
  if (typeof source.text === 'string') return { from: 'text', text: source.text }
  if (Array.isArray(source.content))
    return { from: 'parts', parts: source.content.map((item, index) => textPart(item, `${at}.content[${index}]`)) }
  if (objectOf(source.s3Location) !== undefined) return { from: 'file', family: 'aws', value: source }
  throw invalid(at, 'it holds neither bytes, text, content nor an s3Location')
}

function textPart(item: JsonValue, at: string): HubPart {
  const text = stringOf(objectOf(item)?.text)
  if (text === undefined) throw invalid(at, 'it must be text')
  return { kind: 'text', text, at }
}

/** A medium as a block. `index`: how many documents the request has before it, for a name of its own. Throws `request.unsupported` for what the dialect does not read. */
export function writeMedia(media: HubMedia, index: number): JsonObject {
  if (media.media === 'image') return { image: writeImage(media) }
  const { source, title, context, at } = media
  return {
    document: {
      ...documentSource(source, at),
      name: documentName(title, index),
      ...(context === undefined ? {} : { context }),
      ...media.extras?.aws,
    },
  }
}

function writeImage({ source, at }: HubMedia): JsonObject {
  if (source.from === 'file' && source.family === 'aws') return { format: 'png', source: source.value }
  if (source.from !== 'bytes') throw unsupported(at, 'Converse takes images as bytes only', 'Send the image itself.')
  return { format: formatOf(imageTypes, source.mediaType, at), source: { bytes: source.data } }
}

function documentSource(source: MediaSource, at: string): JsonObject {
  switch (source.from) {
    case 'text':
      return { format: 'txt', source: { text: source.text } }
    case 'bytes':
      return { format: formatOf(documentTypes, source.mediaType, at), source: { bytes: source.data } }
    case 'parts':
      return { format: 'txt', source: { content: source.parts.map((part) => ({ text: textOf(part, at) })) } }
    case 'file':
      if (source.family === 'aws') return { format: 'txt', source: source.value }
      throw unsupported(at, 'a file id means nothing to another vendor', 'Send the document itself.')
    default:
      throw unsupported(at, 'Converse takes documents as bytes or text', 'Send the document itself.')
  }
}

function textOf(part: HubPart, at: string): string {
  if (part.kind === 'text') return part.text
  throw unsupported(at, 'Converse takes documents made of text only')
}

function formatOf(types: Readonly<Record<string, string>>, mediaType: string, at: string): string {
  const found = Object.keys(types).find((format) => types[format] === mediaType)
  if (found === undefined) throw unsupported(at, 'Converse does not read media of this type')
  return found
}

/** The vendor takes letters, digits, single spaces, hyphens and brackets, and each name once. */
function documentName(title: string | undefined, index: number): string {
  const written = (title ?? '')
    .replace(/[^a-zA-Z0-9\s()[\]-]+/g, '-')
    .replace(/\s+/g, ' ')
    .trim()
    .slice(0, 180)
  if (written === '') return `document ${index + 1}`
  return index === 0 ? written : `${written} (${index + 1})`
}
