/**
 * The answer of a responses request whose tools are run here: the items of every round in one response, with calls of these
 * tools told as a vendor tells of calls it makes of an MCP server.
 */
import type { UsageRecord } from '@turnward/contract/decision'
import { randomText } from '../../../../core/ids.ts'
import { asText, isObject, type JsonObject, type JsonValue } from '../../../../core/json.ts'
import { parseArguments } from '../../../request/call-arguments.ts'
import { objectsOf } from '../../../request/fields.ts'
import type { EmitEvent, ServedAnswer, ServedCall, ServedServer, ServedTool } from '../../../served-tools.ts'
import { isClientCall } from '../calls.ts'
import { responseOf } from '../round.ts'
import { addResponsesUsage, readResponsesUsage } from '../usage.ts'
import { approvalItemId, callItemId, listItemId, newName, type ServedRound } from './ids.ts'
import { textOfResult } from './results.ts'
import { toldTools } from './servers.ts'

const ends: ReadonlySet<string> = new Set(['response.completed', 'response.incomplete'])
const beginnings: ReadonlySet<string> = new Set(['response.created', 'response.in_progress', 'response.queued'])
const failures: ReadonlySet<string> = new Set(['error', 'response.failed'])

/** An item that is told of a call, while it is not known what the call came to. */
interface OpenCall {
  readonly index: number
  readonly item: JsonObject
}

export class ResponsesServedAnswer implements ServedAnswer {
  hasFailed = false
  #calls: ServedCall[] = []
  #said: JsonObject[] = []
  #isLast = false
  #isContinued = false
  #isRoundOver = false
  readonly #request: JsonObject
  readonly #tools: ReadonlyMap<string, ServedTool>
  readonly #emit: EmitEvent | undefined
  /** What the client has not been told yet, because the answer has not begun. */
  #before: (() => void)[] = []
  /** The rounds have an id each; the client has one answer. */
  readonly #id = `resp_${randomText(48)}`
  /** What the response of the last round says of itself. */
  #last: JsonObject = {}
  readonly #usages: UsageRecord[] = []
  readonly #items: JsonObject[] = []
  /** Ids that items of the answer have: upstreams that number theirs begin anew in every round. */
  readonly #ids = new Set<string>()
  /** What items of the present round are called in the answer, where that is something else. */
  #renamed = new Map<string, string>()
  #sequence = 0
  /** Indexes that items of the present round have in the answer. */
  #indexes = new Map<number, number>()
  /** From the first call of ours on, until it is known what else the model calls. */
  #waiting: JsonObject[] = []
  readonly #open = new Map<string, OpenCall>()

  constructor(request: JsonObject, servers: readonly ServedServer[], emit: EmitEvent | undefined) {
    this.#request = request
    this.#emit = emit
    this.#tools = new Map(servers.flatMap(({ tools }) => tools.map((tool) => [asText(tool.definition.name), tool] as const)))
  }

  get calls(): readonly ServedCall[] {
    return this.#calls
  }

  get isLast(): boolean {
    return this.#isLast
  }

  /** The items of the present round as the model said them. */
  get said(): readonly JsonObject[] {
    return this.#said
  }

  /** Tells the client which tools a server has, once the answer has begun. */
  list(server: ServedServer): void {
    this.#before.push(() => this.#list(server))
  }

  event(payload: JsonObject, type: string): void {
    const said = typeof payload.type === 'string' ? payload.type : type
    if (failures.has(said)) {
      this.hasFailed = true
      this.#number(isObject(payload.response) ? { ...payload, response: this.#named(payload.response) } : payload)
    } else if (beginnings.has(said)) this.#begin(payload)
    else {
      this.#start()
      if (ends.has(said)) this.#endRound(responseOf(payload))
      else if (this.#waiting.length > 0 || this.#isOurs(payload.item)) this.#waiting.push(payload)
      else this.#pass(payload)
    }
  }

  whole(response: JsonObject): void {
    this.#start()
    for (const [output_index, item] of objectsOf(response.output).entries())
      this.#waiting.push({ type: 'response.output_item.done', output_index, item })
    this.#endRound(response)
  }

  came({ id }: ServedCall, result: JsonObject): void {
    const open = this.#open.get(id)
    if (open === undefined) return
    this.#open.delete(id)
    this.#close(open, result)
  }

  /** Tells of a call that a person has approved, once the answer has begun. */
  ran(request: JsonObject, call: ServedCall, result: JsonObject): void {
    this.#before.push(() => {
      const id = callItemId({ round: { name: newName(), isShared: false }, callId: call.id })
      this.#close(this.#openCall(id, call, asText(request.arguments), asText(request.id)), result)
    })
  }

  response(): JsonObject {
    const response = this.#named({ ...this.#last, output: [...this.#items] })
    if (this.#usages.length > 1) response.usage = addResponsesUsage(response.usage, this.#usages.slice(0, -1))
    return response
  }

  end(response: JsonObject): void {
    this.#number({ type: response.status === 'incomplete' ? 'response.incomplete' : 'response.completed', response })
  }

  #begin(payload: JsonObject): void {
    // The client has one answer, whose beginning is that of its first round.
    if (this.#isContinued) return
    this.#number({ ...payload, response: this.#named(responseOf(payload)) })
  }

  #start(): void {
    const before = this.#before
    this.#before = []
    for (const tell of before) tell()
  }

  #isOurs(item: JsonValue | undefined): boolean {
    return isObject(item) && item.type === 'function_call' && this.#tools.has(asText(item.name))
  }

  #pass(payload: JsonObject): void {
    const { output_index: index, item } = payload
    if (typeof index !== 'number') return this.#number(payload)
    const output_index = this.#indexOf(index, isObject(item) ? asText(item.id) : '')
    const told: JsonObject = { ...payload, output_index }
    if (isObject(item)) told.item = this.#renamed.has(asText(item.id)) ? { ...item, id: this.#renamed.get(asText(item.id)) ?? '' } : item
    if (typeof payload.item_id === 'string') told.item_id = this.#renamed.get(payload.item_id) ?? payload.item_id
    if (payload.type === 'response.output_item.done' && isObject(item) && isObject(told.item)) {
      this.#items[output_index] = told.item
      this.#say(item)
    }
    this.#number(told)
  }

  /** The index an item has in the answer. `id`: what it is called when it is told of first. */
  #indexOf(index: number, id: string): number {
    const known = this.#indexes.get(index)
    if (known !== undefined) return known
    if (this.#ids.has(id)) this.#renamed.set(id, `${id}_${newName()}`)
    else if (id !== '') this.#ids.add(id)
    const own = this.#place()
    this.#indexes.set(index, own)
    return own
  }

  #place(): number {
    return this.#items.push({}) - 1
  }

  /** The first item after a round is of the next one. */
  #say(item: JsonObject): void {
    if (this.#isRoundOver) this.#said = []
    this.#isRoundOver = false
    this.#said.push(item)
  }

  #endRound(response: JsonObject): void {
    const waiting = this.#waiting
    this.#waiting = []
    const made = waiting.flatMap(({ type, item }) => (type === 'response.output_item.done' && isObject(item) ? [item] : []))
    const isShared = made.some((item) => isClientCall(item) && !this.#isOurs(item)) || this.#items.some(isClientCall)
    const isOver = response.status !== undefined && response.status !== null && response.status !== 'completed'
    const round = { name: newName(), isShared }
    const ours = new Set<JsonValue | undefined>()
    this.#calls = []
    this.#isLast = isShared || isOver
    for (const payload of waiting) {
      const { type, output_index: index, item } = payload
      if (this.#isOurs(item)) ours.add(index)
      if (!ours.has(index)) this.#pass(payload)
      else if (type === 'response.output_item.done' && isObject(item)) {
        this.#say(item)
        this.#make(round, item, isOver)
      }
    }
    this.#isContinued = true
    this.#isRoundOver = true
    this.#isLast ||= this.#calls.length === 0
    this.#indexes = new Map()
    this.#renamed = new Map()
    this.#last = response
    const usage = readResponsesUsage(response.usage)
    if (usage !== undefined) this.#usages.push(usage)
  }

  /** A call of ours: it is run, or a person is asked first. */
  #make(round: ServedRound, item: JsonObject, isOver: boolean): void {
    const tool = this.#tools.get(asText(item.name))
    if (tool === undefined) return
    const callId = asText(item.call_id)
    const { label } = tool
    const written = asText(item.arguments)
    const call: ServedCall = { id: callId, label, name: asText(item.name), args: parseArguments(written) }
    if (tool.asksFirst && !isOver) {
      this.#isLast = true
      const request = {
        id: approvalItemId({ round, callId }),
        type: 'mcp_approval_request',
        server_label: label,
        name: call.name,
        arguments: written,
      }
      this.#tell(this.#place(), request)
      return
    }
    const open = this.#openCall(callItemId({ round, callId }), call, written, null)
    if (isOver) this.#close(open, notRun)
    else {
      this.#open.set(callId, open)
      this.#calls.push(call)
    }
  }

  #openCall(id: string, { label, name }: ServedCall, written: string, approval: string | null): OpenCall {
    const item = {
      id,
      type: 'mcp_call',
      status: 'in_progress',
      approval_request_id: approval,
      server_label: label,
      name,
      arguments: written,
    }
    const output_index = this.#place()
    const at = { item_id: id, output_index }
    this.#items[output_index] = item
    this.#number({ type: 'response.output_item.added', output_index, item: { ...item, arguments: '', output: null, error: null } })
    this.#number({ type: 'response.mcp_call.in_progress', ...at })
    this.#number({ type: 'response.mcp_call_arguments.delta', ...at, delta: written })
    this.#number({ type: 'response.mcp_call_arguments.done', ...at, arguments: written })
    return { index: output_index, item }
  }

  #close({ index, item }: OpenCall, result: JsonObject): void {
    const isError = result.isError === true
    const told: JsonObject = {
      ...item,
      status: isError ? 'failed' : 'completed',
      output: isError ? null : textOfResult(result),
      error: isError ? { type: 'mcp_tool_execution_error', content: [{ type: 'text', text: textOfResult(result) }] } : null,
    }
    this.#items[index] = told
    this.#number({
      type: isError ? 'response.mcp_call.failed' : 'response.mcp_call.completed',
      item_id: asText(item.id),
      output_index: index,
    })
    this.#number({ type: 'response.output_item.done', output_index: index, item: told })
  }

  #list({ label, tools, missing }: ServedServer): void {
    const item: JsonObject = { id: listItemId(), type: 'mcp_list_tools', server_label: label, tools: [], error: null }
    const output_index = this.#place()
    const at = { item_id: asText(item.id), output_index }
    this.#number({ type: 'response.output_item.added', output_index, item })
    this.#number({ type: 'response.mcp_list_tools.in_progress', ...at })
    const told = tools.map(({ definition: { name, description, inputSchema, annotations } }) => ({
      name: asText(name),
      description: description ?? null,
      input_schema: inputSchema ?? {},
      annotations: annotations ?? null,
    }))
    const listed = { ...item, tools: told, error: missing ?? null }
    this.#items[output_index] = listed
    this.#number({ type: 'response.mcp_list_tools.completed', ...at })
    this.#number({ type: 'response.output_item.done', output_index, item: listed })
  }

  /** An item that is told of all at once. */
  #tell(output_index: number, item: JsonObject): void {
    this.#items[output_index] = item
    this.#number({ type: 'response.output_item.added', output_index, item })
    this.#number({ type: 'response.output_item.done', output_index, item })
  }

  /** What a response says of its request is what the client asked. */
  #named(response: JsonObject): JsonObject {
    const { tool_choice: choice, store, previous_response_id: previous } = this.#request
    const named: JsonObject = { ...response, id: this.#id }
    const said = {
      tools: toldTools(this.#request),
      tool_choice: choice ?? 'auto',
      store: store ?? true,
      previous_response_id: previous ?? null,
    }
    for (const [field, value] of Object.entries(said)) if (named[field] !== undefined) named[field] = value
    return named
  }

  #number(event: JsonObject): void {
    this.#emit?.({ ...event, sequence_number: this.#sequence++ })
  }
}

const notRun: JsonObject = { isError: true, content: [{ type: 'text', text: 'not run: the answer was broken off' }] }
