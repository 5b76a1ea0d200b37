/** Changes the fields of a whole answer that its route wants changed: none that says or calls anything. */
import type { JsonObject } from '../../core/json.ts'
import type { ModelCall } from '../call.ts'

/** Edits the answer in place. Whether it has. Throws `transform.answer`. */
export function transformAnswer({ transforms }: ModelCall, answer: JsonObject): boolean {
  let isChanged = false
  for (const transform of transforms?.ofAnswer ?? []) {
    const changed = transforms?.changed(transform, answer)
    if (changed === undefined) continue
    for (const name of Object.keys(answer)) if (!Object.hasOwn(changed, name)) delete answer[name]
    Object.assign(answer, changed)
    isChanged = true
  }
  return isChanged
}
