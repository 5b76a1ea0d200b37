/** Views over a Converse request. It refuses what it cannot read for certain, and leaves every field it has no need of alone. */
import type { JsonObject, JsonValue } from '../../../core/json.ts'
import type { MessageView, RequestView } from '../../dialect.ts'
import {
  invalid,
  isAbsent,
  optionalObjects,
  readStream,
  requireArray,
  requireName,
  requireObject,
  unsupported,
} from '../../request/fields.ts'
import { readTool } from './tools.ts'
import { readMessage, readSystem } from './views.ts'

/** Fields in which a model would be given tools or a conversation that nothing here has looked at. */
const hiddenOffers = ['tools', 'tool_choice', 'mcp_servers', 'messages', 'system']

/** Throws `request.invalid` or `request.unsupported` naming the field. `known`: views of messages left out of the body. */
export function readConverseRequest(body: JsonObject, known: readonly MessageView[] = []): RequestView {
  settleCount(body)
  refuseHidden(body)
  const conversation = requireArray(body.messages, 'messages')
  if (conversation.length + known.length === 0) throw invalid('messages', 'it is empty')
  const config = isAbsent(body.toolConfig) ? {} : requireObject(body.toolConfig, 'toolConfig')
  checkToolChoice(config.toolChoice)
  const system = readSystem(body.system)
  const views = conversation.map((message, index) => readMessage(message, known.length + index))
  return {
    model: requireName(body.model, 'model'),
    stream: readStream(body),
    messages: [...(system === undefined ? [] : [system]), ...known, ...views],
    tools: optionalObjects(config.tools, 'toolConfig.tools').flatMap((tool, index) => readTool(tool, `toolConfig.tools[${index}]`)),
    wantsUsage: true,
    choices: 1,
  }
}

/** What tokens are counted of stands in `input`: it is brought to where everybody looks for it. */
function settleCount(body: JsonObject): void {
  if (isAbsent(body.input)) return
  const { converse, ...others } = requireObject(body.input, 'input')
  const [other] = Object.keys(others)
  if (other !== undefined) throw unsupported(`input.${other}`, 'it is not counted here', 'Send `input.converse`.')
  const counted = requireObject(converse, 'input.converse')
  for (const field in counted) if (body[field] !== undefined) throw invalid(field, 'it is there twice')
  delete body.input
  Object.assign(body, counted)
}

function refuseHidden(body: JsonObject): void {
  if (!isAbsent(body.promptVariables))
    throw unsupported('promptVariables', 'the prompt they go into is kept by the vendor, where nobody here can read it')
  if (isAbsent(body.additionalModelRequestFields)) return
  const fields = requireObject(body.additionalModelRequestFields, 'additionalModelRequestFields')
  for (const field of hiddenOffers)
    if (fields[field] !== undefined)
      throw unsupported(
        `additionalModelRequestFields.${field}`,
        'it would reach the model past every decision',
        'Use the field of Converse.',
      )
}

/** Refuses a choice that could be read in two ways. */
function checkToolChoice(value: JsonValue | undefined): void {
  if (isAbsent(value)) return
  const choice = requireObject(value, 'toolConfig.toolChoice')
  if (Object.keys(choice).length !== 1) throw invalid('toolConfig.toolChoice', 'it must have exactly one member')
  if (choice.tool !== undefined)
    requireName(requireObject(choice.tool, 'toolConfig.toolChoice.tool').name, 'toolConfig.toolChoice.tool.name')
}
