/** Files as Anthropic's clients bring, list and name them. */
import { isObject, type JsonObject, type JsonValue } from '../../../core/json.ts'
import type { FileFacts, FileUpload, KeptFiles, NamedFile } from '../../kept-files.ts'
import { unsupported } from '../../request/fields.ts'
import { isTextType, mediaTypeOf } from '../../request/media-types.ts'
import { limitIn, pageBefore, pageBehind } from '../../request/pages.ts'
import { fileIn, plainName, requireKnownFields, ttlIn } from '../../request/uploaded-file.ts'

const listed = { usual: 20, highest: 1000 }
const mostIds = 100

export const keptFiles: KeptFiles = {
  idPrefix: 'file_',
  upload(form): FileUpload {
    requireKnownFields(form, ['file', 'purpose', 'expires_in_seconds'])
    const content = fileIn(form, 'file')
    const name = plainName(content.name)
    const ttlMs = ttlIn(form, 'expires_in_seconds', 3600, 7_776_000)
    return { content, name, purpose: 'user_data', mediaType: mediaTypeOf(name, content.type), ttlMs }
  },
  shown,
  page(files, query) {
    const ids = new Set([...query.getAll('ids'), ...query.getAll('ids[]')].slice(0, mostIds))
    const limit = limitIn(query, listed)
    const before = query.get('before_id')
    const { items, hasMore } =
      ids.size > 0
        ? { items: files.filter(({ id }) => ids.has(id)), hasMore: false }
        : before === null
          ? pageBehind(files, limit, query.get('page') ?? query.get('after_id'), 'page')
          : pageBefore(files, limit, before, 'before_id')
    const last = items.at(-1)?.id ?? null
    // Both ways in which its SDKs have gone from page to page.
    return { data: items.map(shown), first_id: items[0]?.id ?? null, last_id: last, has_more: hasMore, next_page: hasMore ? last : null }
  },
  deleted: (id) => ({ id, type: 'file_deleted' }),
}

function shown({ id, name, mediaType, bytes, created, expires }: FileFacts): JsonObject {
  return {
    id,
    type: 'file',
    filename: name,
    mime_type: mediaType,
    size_bytes: bytes,
    created_at: new Date(created).toISOString(),
    expires_at: new Date(expires).toISOString(),
    downloadable: true,
  }
}

const maxDepth = 8

/** Images and documents whose source is a file, in messages and in the results of tools. */
export function namedFiles({ messages }: JsonObject): readonly NamedFile[] {
  return below(messages, 'messages', 0)
}

function below(value: JsonValue | undefined, path: string, depth: number): readonly NamedFile[] {
  if (depth > maxDepth) return []
  if (Array.isArray(value)) return value.flatMap((item, index) => below(item, `${path}[${index}]`, depth + 1))
  if (!isObject(value)) return []
  if (value.type === 'container_upload' && typeof value.file_id === 'string') {
    const at = `${path}.file_id`
    const refuse = (): never => {
      throw unsupported(at, 'a file that is kept here does not go into the vendor’s container', 'Send it as a document.')
    }
    return [{ id: value.file_id, at, put: refuse }]
  }
  const { source } = value
  if ((value.type === 'image' || value.type === 'document') && isObject(source) && source.type === 'file') {
    if (typeof source.file_id !== 'string') return []
    const at = `${path}.source.file_id`
    return [{ id: source.file_id, at, put: (facts, content) => (value.source = sourceOf(facts, content, at)) }]
  }
  return ['content', 'source'].flatMap((name) => below(value[name], `${path}.${name}`, depth + 1))
}

function sourceOf({ mediaType }: FileFacts, content: Buffer, at: string): JsonObject {
  if (mediaType === 'application/pdf' || mediaType.startsWith('image/'))
    return { type: 'base64', media_type: mediaType, data: content.toString('base64') }
  if (isTextType(mediaType)) return { type: 'text', media_type: 'text/plain', data: content.toString('utf8') }
  throw unsupported(at, `a file of type \`${mediaType}\` is no image, PDF or text`)
}
