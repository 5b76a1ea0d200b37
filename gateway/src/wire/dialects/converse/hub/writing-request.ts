/** A Converse request from the neutral form. What changes meaning and cannot be expressed is refused by name, never dropped. */
import type { JsonObject } from '../../../../core/json.ts'
import { requireAnsweredCalls } from '../../../hub/answered-calls.ts'
import type { HubFormat, HubRequest } from '../../../hub/conversation.ts'
import type { RequestOptions } from '../../../hub/dialect-hub.ts'
import { claudeVersion, isClaudeModel } from '../../../hub/model-families.ts'
import { acceptedSampling } from '../../../hub/sampling.ts'
import { unsupported } from '../../../request/fields.ts'
import { writeTools } from './tools.ts'
import { writeConversation } from './writing-messages.ts'

/** Parts of the conversation may be shared with the result. Throws `request.invalid` / `request.unsupported` naming the field. */
export function writeRequest(request: HubRequest, _options: RequestOptions): JsonObject {
  for (const { family, field, why, fix } of request.demands)
    if (family !== 'aws') throw unsupported(field, why ?? 'Converse has nothing like it', fix)
  if (request.logprobs !== undefined) throw unsupported(request.logprobs.at, 'Converse tells nothing of tokens')
  requireAnsweredCalls(request.messages)
  const { system, messages, hasCalls } = writeConversation(request.messages)
  const { model, stream } = request
  const inference = writeInference(request)
  const output = writeOutput(request)
  return {
    ...request.extras.aws,
    model,
    ...(stream === undefined ? {} : { stream }),
    messages,
    ...(system.length === 0 ? {} : { system }),
    ...(Object.keys(inference).length === 0 ? {} : { inferenceConfig: inference }),
    ...writeTools(request, hasCalls),
    ...(Object.keys(output).length === 0 ? {} : { outputConfig: output }),
  }
}

const efforts: Readonly<Record<string, string>> = { minimal: 'low', low: 'low', medium: 'medium', high: 'high', xhigh: 'high', max: 'high' }

/** An effort is a hint, for the models that are known to take one; above `high` they want to be told to think as well. */
function writeOutput({ model, format, effort: { word } }: HubRequest): JsonObject {
  const effort = word !== undefined && Object.hasOwn(efforts, word) && (claudeVersion(model) ?? 0) >= 406 ? efforts[word] : undefined
  return {
    ...(format === undefined ? {} : { textFormat: writeFormat(format) }),
    ...(effort === undefined ? {} : { effort }),
  }
}

function writeInference(request: HubRequest): JsonObject {
  const { stop, maxTokens, model } = request
  const { temperature, topP } = acceptedSampling(request)
  const sequences = stop.sequences.filter((sequence) => sequence !== '')
  if (isClaudeModel(model) && sequences.some((sequence) => sequence.trim() === ''))
    throw unsupported(stop.at, 'this model refuses a stop sequence of white space only', 'Stop at something that can be seen.')
  return {
    ...(maxTokens === undefined ? {} : { maxTokens }),
    // The scale ends at 1 in Converse, at 2 in chat-completions.
    ...(temperature === undefined ? {} : { temperature: Math.min(1, temperature) }),
    ...(topP === undefined ? {} : { topP }),
    ...(sequences.length === 0 ? {} : { stopSequences: sequences }),
  }
}

function writeFormat(format: HubFormat): JsonObject {
  if (format.kind === 'native')
    throw unsupported(format.at, `Converse has no form for it: ${format.called}`, 'Use `json_schema` with a schema.')
  const { schema, name } = format
  return { type: 'json_schema', structure: { jsonSchema: { schema: JSON.stringify(schema), ...(name === undefined ? {} : { name }) } } }
}
