/** Images and documents of the messages dialect: typed sources. */
import type { JsonObject, JsonValue } from '../../../../core/json.ts'
import type { HubMedia, HubPart, MediaSource } from '../../../hub/conversation.ts'
import { given, objectOf, stringOf } from '../../../hub/loose-fields.ts'
import { invalid, unsupported } from '../../../request/fields.ts'

/** An `image` block. Throws `request.invalid`. */
export function readImage(block: JsonObject, field: string): HubMedia {
  const at = `${field}.source`
  const source = readSource(block)
  if (source === undefined || source.from === 'text') throw invalid(at, 'it must be a base64 or url source')
  return { kind: 'media', media: 'image', source, at, cache: given(block, 'cache_control') }
}

/** A `document` block. Throws `request.invalid`. */
export function readDocument(block: JsonObject, field: string): HubMedia {
  const at = `${field}.source`
  const kind = objectOf(block.source)?.type
  const source = kind === 'content' ? readContentSource(objectOf(block.source)?.content, at) : readSource(block)
  if (source === undefined) throw unsupported(at, 'it is no source of a document that could be read', 'Send the document itself.')
  const citations = given(block, 'citations')
  return {
    kind: 'media',
    media: 'document',
    source,
    at,
    title: stringOf(block.title),
    context: stringOf(block.context),
    cache: given(block, 'cache_control'),
    extras: citations === undefined ? undefined : { anthropic: { citations } },
  }
}

function readSource(block: JsonObject): MediaSource | undefined {
  const source = objectOf(block.source)
  if (source?.type === 'url' && typeof source.url === 'string') return { from: 'url', url: source.url }
  if (source?.type === 'file') return { from: 'file', family: 'anthropic', value: source }
  if (typeof source?.data !== 'string') return undefined
  if (source.type === 'text') return { from: 'text', text: source.data }
  if (source.type === 'base64' && typeof source.media_type === 'string')
    return { from: 'bytes', mediaType: source.media_type, data: source.data }
  return undefined
}

function readContentSource(content: JsonValue | undefined, at: string): MediaSource {
  if (typeof content === 'string') return { from: 'text', text: content }
  const parts = (Array.isArray(content) ? content : []).map((item, index): HubPart => {
    const field = `${at}.content[${index}]`
    const block = objectOf(item)
    if (block?.type === 'text' && typeof block.text === 'string') return { kind: 'text', text: block.text, at: field }
    if (block?.type === 'image') return readImage(block, field)
    throw invalid(field, 'it must be a text or image block')
  })
  return { from: 'parts', parts }
}

const imageTypes: ReadonlySet<string> = new Set(['image/jpeg', 'image/png', 'image/gif', 'image/webp'])

/** A medium as a block. Throws `request.unsupported` for what the dialect does not read. */
export function writeMedia(media: HubMedia): JsonObject {
  const { source, title, context, cache } = media
  return {
    type: media.media,
    source: media.media === 'image' ? imageSource(source, media.at) : documentSource(source, media.at),
    ...(title === undefined ? {} : { title }),
    ...(context === undefined ? {} : { context }),
    ...media.extras?.anthropic,
    ...(cache === undefined ? {} : { cache_control: cache }),
  }
}

function imageSource(source: MediaSource, at: string): JsonObject {
  if (source.from === 'url') return { type: 'url', url: source.url }
  if (source.from === 'file' && source.family === 'anthropic') return source.value
  if (source.from !== 'bytes') throw unsupported(at, 'a file id means nothing to another vendor', 'Send the image itself.')
  if (!imageTypes.has(source.mediaType)) throw unsupported(at, 'the messages API reads JPEG, PNG, GIF and WebP images')
  return { type: 'base64', media_type: source.mediaType, data: source.data }
}

function documentSource(source: MediaSource, at: string): JsonObject {
  switch (source.from) {
    case 'url':
      return { type: 'url', url: source.url }
    case 'text':
      return { type: 'text', media_type: 'text/plain', data: source.text }
    case 'parts':
      return {
        type: 'content',
        content: source.parts.map((part) => (part.kind === 'media' ? writeMedia(part) : { type: 'text', text: textOf(part) })),
      }
    case 'file':
      if (source.family === 'anthropic') return source.value
      throw unsupported(at, 'a file id means nothing to another vendor', 'Send the file as `file_data`.')
    default:
      if (source.mediaType === 'application/pdf') return { type: 'base64', media_type: source.mediaType, data: source.data }
      if (source.mediaType === 'text/plain')
        return { type: 'text', media_type: 'text/plain', data: Buffer.from(source.data, 'base64').toString('utf8') }
      throw unsupported(at, 'the messages API reads PDF and plain text documents')
  }
}

function textOf(part: HubPart): string {
  return part.kind === 'text' ? part.text : ''
}
