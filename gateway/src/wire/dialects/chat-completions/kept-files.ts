/** Files as OpenAI's clients bring, list and name them. */
import { isObject, type JsonObject } from '../../../core/json.ts'
import type { FileFacts, FileUpload, KeptFiles, NamedFile } from '../../kept-files.ts'
import { invalid, objectsOf, unsupported } from '../../request/fields.ts'
import { textOf } from '../../request/form.ts'
import { dataUrl, mediaTypeOf } from '../../request/media-types.ts'
import { limitIn, pageBehind } from '../../request/pages.ts'
import { fileIn, plainName, requireKnownFields, ttlIn } from '../../request/uploaded-file.ts'

const purposes: readonly string[] = ['batch', 'user_data', 'vision', 'assistants']
const fields = ['file', 'purpose', 'expires_after[anchor]', 'expires_after[seconds]']
const listed = { usual: 10_000, highest: 10_000 }

export const keptFiles: KeptFiles = {
  idPrefix: 'file-',
  upload(form): FileUpload {
    requireKnownFields(form, fields)
    const content = fileIn(form, 'file')
    const purpose = textOf(form, 'purpose')
    if (!purposes.includes(purpose)) throw unsupported('purpose', `it is none of ${purposes.join(', ')}`)
    const anchor = form.get('expires_after[anchor]')
    if (anchor !== null && anchor !== 'created_at') throw invalid('expires_after[anchor]', 'it must be `created_at`')
    const ttlMs = ttlIn(form, 'expires_after[seconds]', 3600, 2_592_000)
    const name = plainName(content.name)
    return { content, name, purpose, mediaType: mediaTypeOf(name, content.type), ttlMs }
  },
  shown,
  page(files, query) {
    const limit = limitIn(query, listed)
    const order = query.get('order') ?? 'desc'
    if (order !== 'asc' && order !== 'desc') throw invalid('order', 'it is neither `asc` nor `desc`')
    const purpose = query.get('purpose')
    const wanted = files.filter((file) => purpose === null || file.purpose === purpose)
    const { items, hasMore } = pageBehind(order === 'desc' ? wanted : wanted.toReversed(), limit, query.get('after'), 'after')
    return {
      object: 'list',
      data: items.map(shown),
      first_id: items[0]?.id ?? null,
      last_id: items.at(-1)?.id ?? null,
      has_more: hasMore,
    }
  },
  deleted: (id) => ({ id, object: 'file', deleted: true }),
}

function shown({ id, name, purpose, bytes, created, expires }: FileFacts): JsonObject {
  return {
    id,
    object: 'file',
    bytes,
    created_at: Math.floor(created / 1000),
    expires_at: Math.floor(expires / 1000),
    filename: name,
    purpose,
    status: 'processed',
    status_details: null,
  }
}

/** `file` parts of messages that have an id in place of their data. */
export function namedFiles({ messages }: JsonObject): readonly NamedFile[] {
  return objectsOf(messages).flatMap(({ content }, index) =>
    objectsOf(content).flatMap(({ type, file }, at): NamedFile[] => {
      if (type !== 'file' || !isObject(file) || typeof file.file_id !== 'string') return []
      return [
        { id: file.file_id, at: `messages[${index}].content[${at}].file.file_id`, put: (facts, content) => fill(file, facts, content) },
      ]
    }),
  )
}

function fill(file: JsonObject, { name, mediaType }: FileFacts, content: Buffer): void {
  delete file.file_id
  file.filename ??= name
  file.file_data = dataUrl(mediaType, content)
}
