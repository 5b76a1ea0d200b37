/** What the events of a messages stream carry. What cannot be read for certain is refused: some clients guess, and none may lose a word. */
import { asText, isObject, type JsonObject, type JsonValue } from '../../../core/json.ts'
import { malformed } from '../../request/fields.ts'

/** What a block begins with. Throws `upstream.malformed`. */
export function blockOf({ content_block: block }: JsonObject): JsonObject {
  if (!isObject(block) || asText(block.type) === '') throw malformed('a block of its stream has no type')
  return block
}

/** What is added to a block. Throws `upstream.malformed`. */
export function deltaOf({ delta }: JsonObject): JsonObject {
  if (!isObject(delta) || asText(delta.type) === '') throw malformed('what its stream adds to a block has no type')
  return delta
}

/** Text that somebody else would read as text too. Throws `upstream.malformed`. */
export function requireText(value: JsonValue | undefined, what: string): string {
  if (typeof value !== 'string') throw malformed(`${what} of its stream is not text`)
  return value
}
