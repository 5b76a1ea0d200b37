/**
 * Handles in the arguments of a call: what they stand for is put in their place in what whoever runs the tool gets, once the call was
 * decided with its own label joined in. So an agent can file, forward or store what it may not read.
 */
import type { JsonObject } from '../../core/json.ts'
import { join } from '../../policy/label.ts'
import type { Label } from '../../policy/types.ts'
import type { AttachedCall } from '../call.ts'
import { handlesIn, type HandleReference, withContents } from './handle-text.ts'
import { sliceOf } from './slices.ts'
import { withheldResult } from './withheld-results.ts'

/** Handles one call may have. */
const mostHandles = 16

export type HandledArguments =
  | {
      readonly form: 'put in place'
      /** The arguments as the server gets them. */
      readonly args: JsonObject
      /** What the handles stand for. */
      readonly contents: readonly string[]
      /** What the contents would add to the label of a session. */
      readonly label: Label
    }
  | { readonly form: 'unusable'; readonly why: string }

/** Undefined where there is no handle in the arguments, which is nearly always. */
export async function handledArguments(call: AttachedCall, args: JsonObject): Promise<HandledArguments | undefined> {
  const handles = handlesIn(args)
  if (handles.length === 0) return undefined
  if (handles.length > mostHandles) return { form: 'unusable', why: `there are more than ${mostHandles} handles in the arguments` }
  const contents = new Map<string, string>()
  let label: Label | undefined
  for (const handle of handles) {
    const result = await withheldResult(call, handle.id)
    if (result === undefined) return { form: 'unusable', why: 'a handle in the arguments is none of this conversation' }
    const content = handle.slice === undefined ? result.text : sliceOf(result.text, handle.slice)
    if (content === undefined) return { form: 'unusable', why: 'a handle in the arguments names a part that is not there' }
    contents.set(nameOf(handle), content)
    label = label === undefined ? result.label : join(label, result.label)
  }
  if (label === undefined) return undefined
  return { form: 'put in place', args: withContents(args, (one) => contents.get(nameOf(one))), contents: [...contents.values()], label }
}

function nameOf({ id, slice = '' }: HandleReference): string {
  return `${id}#${slice}`
}
