/** Parts of the input that have the id of a file in place of its content, wherever they stand: in messages and in what tools have answered. */
import { isObject, type JsonObject, type JsonValue } from '../../../core/json.ts'
import type { FileFacts, NamedFile } from '../../kept-files.ts'
import { dataUrl } from '../../request/media-types.ts'

/** Part -> the field that takes its content. */
const contentFields: Readonly<Record<string, 'file_data' | 'image_url'>> = {
  input_file: 'file_data',
  input_image: 'image_url',
  computer_screenshot: 'image_url',
}
const maxDepth = 8

export function namedFiles({ input }: JsonObject): readonly NamedFile[] {
  return below(input, 'input', 0)
}

function below(value: JsonValue | undefined, path: string, depth: number): readonly NamedFile[] {
  if (depth > maxDepth) return []
  if (Array.isArray(value)) return value.flatMap((item, index) => below(item, `${path}[${index}]`, depth + 1))
  if (!isObject(value)) return []
  const field = typeof value.type === 'string' && Object.hasOwn(contentFields, value.type) ? contentFields[value.type] : undefined
  if (field === undefined) return ['content', 'output'].flatMap((name) => below(value[name], `${path}.${name}`, depth + 1))
  if (typeof value.file_id !== 'string') return []
  return [{ id: value.file_id, at: `${path}.file_id`, put: (facts, content) => fill(value, field, facts, content) }]
}

function fill(part: JsonObject, field: 'file_data' | 'image_url', { name, mediaType }: FileFacts, content: Buffer): void {
  delete part.file_id
  if (field === 'file_data') part.filename ??= name
  part[field] = dataUrl(mediaType, content)
}
