/** Whether a request brings what is no text: pictures, sound, documents, files. */
import { isObject, type JsonValue } from '../../core/json.ts'

/** Types of parts that are text, or that hold parts. */
const mediaTypes =
  /^(?:(?:input_|output_)?(?:image|image_url|audio|video|video_url|file|document)|image_file|computer_screenshot|container_upload)$/
/** Fields that hold a medium or say where one is, in any dialect. */
const mediaFields: ReadonlySet<string> = new Set(
  'inlineData inline_data fileData file_data file_id image image_url input_audio audio video document file b64_json'.split(' '),
)

/** Looks at all of it: what looks like a medium and is none is taken for one. */
export function holdsMedia(value: JsonValue): boolean {
  if (Array.isArray(value)) return value.some(holdsMedia)
  if (!isObject(value)) return false
  if (typeof value.type === 'string' && mediaTypes.test(value.type)) return true
  return Object.entries(value).some(([field, inner]) => (mediaFields.has(field) && inner !== null) || holdsMedia(inner))
}
