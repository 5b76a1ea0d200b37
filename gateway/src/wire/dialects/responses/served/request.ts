/** A responses request as the model is asked it: tools of servers that are run here are functions, and the vendor keeps nothing. */
import { asText, isObject, type JsonObject, type JsonValue } from '../../../../core/json.ts'
import { parseArguments } from '../../../request/call-arguments.ts'
import { invalid, isAbsent, objectsOf, requireObject } from '../../../request/fields.ts'
import type { EmitEvent, ServedCall, ServedRequest, ServedServer, ServedTool } from '../../../served-tools.ts'
import { isClientCall } from '../calls.ts'
import { conversation, unkept } from '../kept.ts'
import { readTools } from '../tools.ts'
import { ResponsesServedAnswer } from './answer.ts'
import { answerItem, toldConversation, type ApprovedCall } from './conversation.ts'
import { outputOfResult } from './results.ts'

export class ResponsesServedRequest implements ServedRequest {
  readonly answer: ResponsesServedAnswer
  readonly approved: readonly ServedCall[]
  readonly mostCalls: number | undefined
  readonly #approved: ReadonlyMap<ServedCall, ApprovedCall>
  readonly #body: JsonObject
  readonly #items: JsonValue[]

  constructor(body: JsonObject, servers: readonly ServedServer[], emit: EmitEvent | undefined) {
    const tools = new Map(servers.flatMap((server) => server.tools.map((tool) => [asText(tool.definition.name), tool] as const)))
    const { items, approved, listed } = toldConversation(conversation(body))
    this.#items = items
    this.#body = asked(body, servers)
    this.mostCalls = readMostCalls(body)
    this.#approved = new Map(approved.flatMap((call) => stillOffered(call, tools)))
    this.approved = [...this.#approved.keys()]
    this.answer = new ResponsesServedAnswer(body, servers, emit)
    for (const server of servers) if (!listed.has(server.label)) this.answer.list(server)
  }

  get body(): JsonObject {
    return { ...this.#body, input: [...this.#items] }
  }

  settle(call: ServedCall, result: JsonObject): void {
    const approved = this.#approved.get(call)
    if (approved === undefined) return
    approved.answer.output = outputOfResult(result)
    this.answer.ran(approved.request, call, result)
  }

  goOn(results: ReadonlyMap<string, JsonObject>, isLast: boolean): void {
    const round = this.answer.said
    this.#items.push(...round)
    for (const item of round) {
      const result = isClientCall(item) ? results.get(asText(item.call_id)) : undefined
      if (result !== undefined) this.#items.push(answerItem(asText(item.call_id), outputOfResult(result)))
    }
    // What was to be called has been called.
    if (isLast) this.#body.tool_choice = 'none'
    else if (this.#body.tool_choice !== undefined) this.#body.tool_choice = afterwards(this.#body.tool_choice)
  }
}

function stillOffered(approved: ApprovedCall, tools: ReadonlyMap<string, ServedTool>): readonly (readonly [ServedCall, ApprovedCall])[] {
  const { request, callId } = approved
  const name = asText(request.name)
  const tool = tools.get(name)
  if (tool !== undefined && tool.label === request.server_label)
    return [[{ id: callId, label: tool.label, name, args: parseArguments(asText(request.arguments)) }, approved]]
  approved.answer.output = 'not run: the tool is not offered any more'
  return []
}

function asked(body: JsonObject, servers: readonly ServedServer[]): JsonObject {
  const { max_tool_calls: most, tool_choice: choice, ...rest } = body
  const labels = new Map(servers.map((server) => [server.label, server.tools]))
  const others: JsonObject[] = []
  const tools = objectsOf(body.tools).flatMap((tool): JsonObject[] => {
    const own = tool.type === 'mcp' && typeof tool.server_url === 'string' ? labels.get(asText(tool.server_label)) : undefined
    if (own !== undefined) return own.map(asFunction)
    others.push(tool)
    return [tool]
  })
  const views = readTools(tools)
  const names = views.map(({ name }) => name)
  const twice = names.find((name, at) => names.indexOf(name) !== at && views[at]?.runs === 'client')
  if (twice !== undefined) throw invalid('tools', `two of them are named \`${twice}\`: choose with \`allowed_tools\``)
  const written: JsonObject = { ...rest, tools }
  const told = isAbsent(choice) || tools.length === 0 ? undefined : choiceOf(choice, labels)
  if (told !== undefined) written.tool_choice = told
  // The vendor counts what it runs itself.
  if (!isAbsent(most) && readTools(others).some(({ runs }) => runs === 'vendor')) written.max_tool_calls = most
  if (tools.length === 0) delete written.tools
  return { ...written, ...unkept(written, asText(body.model)) }
}

function asFunction({ definition: { name, description, inputSchema } }: ServedTool): JsonObject {
  return {
    type: 'function',
    name: asText(name),
    ...(typeof description === 'string' ? { description } : {}),
    parameters: isObject(inputSchema) ? inputSchema : { type: 'object', properties: {} },
    strict: false,
  }
}

type Labels = ReadonlyMap<string, readonly ServedTool[]>

/** A choice of a server's tools, as one of functions. */
function choiceOf(choice: JsonValue, labels: Labels): JsonValue {
  if (!isObject(choice)) return choice
  if (choice.type === 'allowed_tools') return { ...choice, tools: objectsOf(choice.tools).flatMap((one) => functionsOf(one, labels)) }
  if (choice.type !== 'mcp' || !labels.has(asText(choice.server_label))) return choice
  const tools = functionsOf(choice, labels)
  const [only, ...others] = tools
  if (only === undefined) throw invalid('tool_choice', 'the server has no such tool, or none that may be used')
  return others.length === 0 ? only : { type: 'allowed_tools', mode: 'required', tools }
}

function functionsOf(one: JsonObject, labels: Labels): JsonObject[] {
  const tools = one.type === 'mcp' ? labels.get(asText(one.server_label)) : undefined
  if (tools === undefined) return [one]
  return tools
    .map(({ definition }) => asText(definition.name))
    .filter((name) => isAbsent(one.name) || one.name === name)
    .map((name) => ({ type: 'function', name }))
}

/** A forced choice is met by one call. */
function afterwards(choice: JsonValue): JsonValue {
  if (!isObject(choice)) return choice === 'required' ? 'auto' : choice
  return choice.type === 'allowed_tools' ? { ...requireObject(choice, 'tool_choice'), mode: 'auto' } : 'auto'
}

function readMostCalls({ max_tool_calls: most }: JsonObject): number | undefined {
  if (isAbsent(most)) return undefined
  if (typeof most !== 'number' || !Number.isInteger(most) || most < 1)
    throw invalid('max_tool_calls', 'it must be a whole number from 1 on')
  return most
}
