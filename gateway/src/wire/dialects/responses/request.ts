/**
 * Views over a responses request. It refuses what it cannot read for certain, and leaves every field it has no need of alone.
 */
import type { JsonObject } from '../../../core/json.ts'
import type { MessageView, RequestView } from '../../dialect.ts'
import { invalid, isAbsent, readStream, requireName, unsupported } from '../../request/fields.ts'
import { checkToolChoice, readTools } from './tools.ts'
import { readInput, readInstructions } from './views.ts'

/** Fields with which a client leaves a part of its conversation to the vendor, so that nobody here could see it. */
const unseen: Readonly<Record<string, string>> = {
  previous_response_id: 'nothing is kept here (`responses.keep`): send the items of the conversation in `input`',
  conversation: 'nothing is kept here (`responses.keep`): send its items in `input`',
  prompt: 'what it stands for cannot be seen here: send the text itself',
}

/** Throws `request.invalid` or `request.unsupported` naming the field. `known`: views of messages left out of the body. */
export function readResponsesRequest(body: JsonObject, known: readonly MessageView[] = []): RequestView {
  for (const [field, why] of Object.entries(unseen)) if (!isAbsent(body[field])) throw unsupported(field, why)
  if (body.background === true) throw unsupported('background', 'nothing is kept here (`responses.keep`): leave it out, or use `stream`')
  checkToolChoice(body.tool_choice)
  const system = readInstructions(body.instructions)
  const views = readInput(body.input, known.length)
  if (views.length + known.length === 0) throw invalid('input', 'it is empty')
  return {
    model: requireName(body.model, 'model'),
    stream: readStream(body),
    messages: [...(system === undefined ? [] : [system]), ...known, ...views],
    tools: readTools(body.tools),
    wantsUsage: true,
    choices: 1,
  }
}
