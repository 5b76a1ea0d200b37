/** Views over a messages request. It refuses what it cannot read for certain, and leaves every field it has no need of alone. */
import type { JsonObject, JsonValue } from '../../../core/json.ts'
import type { MessageView, RequestView, ToolDefinitionView } from '../../dialect.ts'
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
import { messagesToolName, runsOnClient } from './tools.ts'
import { readMessage, readSystem } from './views.ts'

/** Throws `request.invalid` or `request.unsupported` naming the field. `known`: views of messages left out of the body. */
export function readMessagesRequest(body: JsonObject, known: readonly MessageView[] = []): RequestView {
  refuseServers(body.mcp_servers)
  checkToolChoice(body.tool_choice)
  const conversation = requireArray(body.messages, 'messages')
  if (conversation.length + known.length === 0) throw invalid('messages', 'it is empty')
  const system = readSystem(body.system)
  const views = conversation.map((message, index) => readMessage(message, known.length + index))
  return {
    model: requireName(body.model, 'model'),
    stream: readStream(body),
    messages: [...(system === undefined ? [] : [system]), ...known, ...views],
    tools: optionalObjects(body.tools, 'tools').map(readTool),
    wantsUsage: true,
    choices: 1,
  }
}

/** The vendor would call these hosts itself, past every decision: no upstream address is chosen by a client. */
function refuseServers(servers: JsonValue | undefined): void {
  if (isAbsent(servers) || (Array.isArray(servers) && servers.length === 0)) return
  throw unsupported('mcp_servers', 'register the servers with the gateway and call their tools from the client')
}

function readTool(tool: JsonObject, index: number): ToolDefinitionView {
  if (!runsOnClient(tool)) return { name: requireName(messagesToolName(tool), `tools[${index}].type`), runs: 'vendor' }
  return { name: requireName(tool.name, `tools[${index}].name`), runs: 'client' }
}

/** Refuses a choice that could be read in two ways; which tool it names matters to the vendor only. */
function checkToolChoice(value: JsonValue | undefined): void {
  if (isAbsent(value)) return
  const choice = requireObject(value, 'tool_choice')
  if (choice.type === 'tool') requireName(choice.name, 'tool_choice.name')
}
