/** Stands in for media in the text of a view: what cannot be read as text is named by the hash of its data. */
import { sha256 } from '../../core/hash.ts'
import { canonicalJson, isObject, type JsonValue } from '../../core/json.ts'

/** `[image sha256:…]`. `data` is what identifies the medium: its bytes as sent, its address, or the whole part. */
export function mediaDigest(kind: string, data: JsonValue | undefined): string {
  return `[${kind} sha256:${sha256(typeof data === 'string' ? data : canonicalJson(data ?? null))}]`
}

const maxDepth = 32
// Neither is content: names of types, references, and vendor ciphertext.
const silentKeys: ReadonlySet<string> = new Set([
  'type',
  'id',
  'tool_use_id',
  'file_id',
  'encrypted_content',
  'encrypted_index',
  'signature',
  'cache_control',
  'caller',
])

/** Every piece of text inside a value whose shape we do not know, so that nothing a model reads is out of sight. */
export function textInside(value: JsonValue | undefined, depth = 0): string[] {
  if (typeof value === 'string') return value === '' ? [] : [value]
  if (depth > maxDepth || typeof value !== 'object' || value === null) return []
  if (Array.isArray(value)) return value.flatMap((item) => textInside(item, depth + 1))
  if (isObject(value) && value.type === 'base64')
    return [mediaDigest(typeof value.media_type === 'string' ? value.media_type : 'data', value.data)]
  return Object.entries(value).flatMap(([key, item]) => (silentKeys.has(key) ? [] : textInside(item, depth + 1)))
}
