/** What lines of batches have in common, whoever's they are. */
import { isAbsent, unsupported } from './fields.ts'
import type { JsonObject } from '../../core/json.ts'

/** Throws `request.unsupported` for a line whose answer would not come whole. */
export function requireWholeAnswer(body: JsonObject): void {
  for (const field of ['stream', 'background'])
    if (!isAbsent(body[field]) && body[field] !== false)
      throw unsupported(field, 'a line of a batch is answered whole, in its file', 'Leave it out.')
}

export const longestCustomId = 512
