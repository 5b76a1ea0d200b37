/**
 * Plays the clients of the agents model test against both floors, keeps what each conversation has really read, and says
 * in one sentence, with the whole story before it, what the gateway did that the rules forbid.
 */
import { say, type ModelAnswer } from '../../../conformance/harness/model-answer.ts'
import { offeredTools } from '../../../conformance/harness/model-history.ts'
import { post, type RawAnswer } from '../../../conformance/harness/raw-http.ts'
import type { Vendor } from '../../../conformance/harness/vendor.ts'
import { asTurnwardError } from '../core/error.ts'
import { isObject, type JsonObject } from '../core/json.ts'
import { readAnswer } from './agents-model-answers.fixture.ts'
import {
  bodyOf,
  filled,
  isNamed,
  modelHeaders,
  offerOf,
  proposed,
  spawnTool,
  toolHeaders,
  type ClientKind,
} from './agents-model-clients.fixture.ts'
import { contentOf, Conversations, says, type Pending, type Saying, type Thread } from './agents-model-conversations.fixture.ts'
import {
  clean,
  Connection,
  gatewayTools,
  isForbidden,
  nothing,
  Reading,
  ruledTools,
  ruleOf,
  sentence,
  union,
  type Content,
  type RuledTool,
  type Words,
} from './agents-model-rules.fixture.ts'
import type { Floors } from './floors.fixture.ts'

export const linkWindowMs = 600_000
export const ticketLifeMs = 600_000
export const mcpIdleMs = 900_000

export class Play {
  readonly #floors: Floors
  readonly #vendor: Vendor
  readonly #keys: readonly string[]
  readonly #connections = [new Connection(), new Connection(), new Connection()]
  readonly #turns = new Set<string>()
  readonly talks = new Conversations()
  #down: readonly string[] = []
  #note: Words = { text: 'There is no note.', ...clean }

  constructor(floors: Floors, vendor: Vendor, keys: readonly string[]) {
    this.#floors = floors
    this.#vendor = vendor
    this.#keys = keys
  }

  /** What the gateway did is not what the rules say. */
  #wrong(sentence: string): never {
    throw new Error(`${sentence}\n\nthe story:\n${this.talks.story.map((line, index) => `${index + 1}. ${line}`).join('\n')}\n`)
  }

  /** The client calls its model with the conversation as it stands. */
  async ask(thread: Thread, saying: Saying): Promise<void> {
    const { kind, reading } = thread
    const presented = contentOf(thread.items)
    reading.add(presented)
    const offer = offerOf(kind, ruledTools, thread.parent === undefined)
    const { answer, made } = this.#answerFor(thread, saying, presented)
    this.talks.tell(
      `${thread.name} (${describe(kind)}) asks; the model makes ${made.map(({ id, tool, common, isWrong }) => `${id} ${tool}${common ? ' in common words' : ''}${isWrong ? ' with wrong arguments' : ''}`).join(', ') || 'no call'}${saying.fails ? '; the vendor fails first' : ''}`,
    )
    const reply = await this.#request(thread, offer, answer, saying.fails)
    if (reply.status !== 200) this.#wrong(`a model call was answered with ${reply.status} ${reply.text}`)
    reading.askedAt = this.#floors.clock.now()
    thread.returned ??= String(reply.headers['x-turnward-session'])
    this.#checkTurn(thread, header(reply, 'x-turnward-turn'))
    const { text, calls } = readAnswer(kind, reply.text)
    this.talks.tell(
      `   ${calls.length} of ${made.length} calls are released (session ${header(reply, 'x-turnward-session')}, turn ${header(reply, 'x-turnward-turn')}, read: ${listed(reading.read)})`,
    )
    const released = new Set(calls.map(({ id }) => id))
    if (reading.may.size === 0) {
      const refused = made.filter(({ id }) => !released.has(id))
      if (refused.length > 0)
        this.#wrong(`a conversation that read nothing restricted was refused ${refused.map(({ tool }) => tool).join(', ')}`)
      const missing = offer.filter((name) => !this.#offered.includes(name))
      if (missing.length > 0) this.#wrong(`a conversation that read nothing restricted was not offered ${missing.join(', ')}`)
    }
    thread.pending = made.filter(({ id }) => released.has(id)).map((one) => ({ ...one, turn: thread.turn }))
    for (const { id, tool } of thread.pending) {
      if (tool !== 'a sub-agent' && ruleOf(tool).runsAt === 'client' && isForbidden(tool, reading.read))
        this.#wrong(`${id}: ${tool}, which the client runs, was released to a conversation that had read ${listed(reading.read)}`)
    }
    const args = new Map(thread.pending.map((one) => [one.id, one.args]))
    const sent = calls.map((call) => ({ ...call, args: this.#sentBack(thread, call, args) }))
    thread.items = [...thread.items, { role: 'assistant', words: { text, ...presented }, calls: sent }]
  }

  #sentBack(
    thread: Thread,
    call: { readonly id: string; readonly name: string; readonly args: object },
    args: ReadonlyMap<string, JsonObject>,
  ): object {
    const { tool } = thread.pending.find(({ id }) => id === call.id) ?? {}
    if (tool === undefined || tool === 'a sub-agent') return call.args
    return proposed(thread.kind, tool, filled(thread.kind, tool, args.get(call.id) ?? {})).args
  }

  #answerFor(thread: Thread, saying: Saying, presented: Content): { readonly answer: ModelAnswer; readonly made: readonly Pending[] } {
    const { kind, reading } = thread
    const tools: (RuledTool | 'a sub-agent')[] = [
      ...saying.tools,
      ...(saying.spawns && thread.parent === undefined ? ['a sub-agent' as const] : []),
    ]
    const calls = tools.map(
      (tool): { readonly call: { readonly id: string; readonly name: string; readonly args: object }; readonly pending: Pending } => {
        const id = `call_${this.talks.number()}`
        const common = tool !== 'a sub-agent' && saying.common && ruleOf(tool).mayBeCommon === true
        const isWrong = tool !== 'a sub-agent' && saying.errs && !common && ruleOf(tool).hasPages === true
        const args: JsonObject =
          tool === 'a sub-agent'
            ? { prompt: sentence(this.talks.number(), 'Your task') }
            : common
              ? { to: 'everybody' }
              : { about: sentence(this.talks.number(), 'About'), ...(isWrong ? { page: 'the first' } : {}) }
        const pending: Pending = {
          id,
          tool,
          args,
          said: presented,
          thread,
          reading,
          turn: undefined,
          common,
          isWrong,
          mintedAt: this.#floors.clock.now(),
          ticket: 'waiting',
          result: undefined,
          failed: false,
          child: undefined,
        }
        return { call: { id, ...(tool === 'a sub-agent' ? { name: spawnTool(kind), args } : proposed(kind, tool, args)) }, pending }
      },
    )
    const text = saying.short ? 'Done.' : sentence(this.talks.number(), 'I say')
    return { answer: { text, calls: calls.map(({ call }) => call) }, made: calls.map(({ pending }) => pending) }
  }

  #offered: readonly string[] = []

  async #request(thread: Thread, offer: readonly string[], answer: ModelAnswer, fails: boolean): Promise<RawAnswer> {
    const send = (): Promise<RawAnswer> =>
      post(
        `${this.#floors.url}${thread.kind.wire === 'openai' ? '/v1/chat/completions' : '/v1/messages'}`,
        this.#keys[thread.kind.owner] ?? '',
        bodyOf(thread.kind, thread.items, offer),
        modelHeaders(thread.kind, thread),
      )
    if (fails) {
      this.#vendor.respond(() => ({
        status: 400,
        headers: { 'content-type': 'application/json' },
        parts: ['{"error":{"message":"not today"}}'],
      }))
      const failed = await send()
      if (failed.status === 200) this.#wrong('the error of a vendor became an answer')
      const { turn } = this.#floors.log.records.findLast(({ kind, type }) => kind === 'model_call' && type === 'outcome') ?? {}
      this.#checkTurn(thread, turn ?? undefined)
    }
    const answers: ModelAnswer[] = [answer]
    this.#vendor.respond((request) => {
      if (answers.length > 0) this.#offered = offeredTools(request)
      return say(request, answers.shift() ?? { text: 'Understood.' })
    })
    return send()
  }

  #checkTurn(thread: Thread, turn: string | undefined): void {
    if (turn === undefined) this.#wrong(`a model call of ${thread.name} belongs to no turn`)
    if (thread.turn !== undefined && turn !== thread.turn)
      this.#wrong(
        `a model call of ${thread.name} is in ${turn}, and not in ${thread.turn}, the turn of ${thread.parent === undefined ? "the person's last message" : 'the conversation that started it'}`,
      )
    if (thread.turn === undefined && thread.turnIsNew && this.#turns.has(turn))
      this.#wrong(`a new message of the person in ${thread.name} began no turn: ${turn} is that of another`)
    thread.turn = turn
    this.#turns.add(turn)
  }

  /** A request beside the conversation: a title for it, without tools. */
  async side(thread: Thread): Promise<void> {
    this.talks.tell(`${thread.name} asks for a title beside its conversation`)
    this.#vendor.respond((request) => say(request, { text: 'A title' }))
    const body = bodyOf(
      thread.kind,
      [{ role: 'user', words: { text: `Find a title for this: ${thread.items[0]?.words.text ?? ''}`, ...clean } }],
      [],
    )
    const reply = await post(
      `${this.#floors.url}${thread.kind.wire === 'openai' ? '/v1/chat/completions' : '/v1/messages'}`,
      this.#keys[thread.kind.owner] ?? '',
      body,
      modelHeaders(thread.kind, thread),
    )
    const isKnown = thread.kind.names === 'opencode' || thread.kind.names === 'claude-code'
    if (isKnown && header(reply, 'x-turnward-turn') !== undefined) this.#wrong('a side request of a known client belongs to a turn')
    // The title goes nowhere, but a conversation that goes by the same name has been shown these words.
    if (isNamed(thread.kind, thread)) thread.reading.add(thread.items[0]?.words ?? clean)
  }

  /** The client runs one call. */
  async run(
    pending: Pending,
    how: 'as proposed' | 'with other arguments',
    where: { readonly client: string; readonly gateway: string },
  ): Promise<void> {
    const { tool, thread } = pending
    if (tool === 'a sub-agent') {
      if (pending.child !== undefined) return
      const child = this.talks.begin(thread.kind, { text: String(pending.args.prompt), ...pending.said }, pending)
      this.talks.tell(`${thread.name} runs ${pending.id}: its agent ${child.name} begins`)
      return this.ask(child, says)
    }
    if (ruleOf(tool).runsAt === 'client') {
      pending.result = this.talks.resultOf(tool)
      this.talks.tell(`${thread.name} runs ${pending.id} ${tool} by itself`)
      return
    }
    await this.#callTool(pending, tool, how, where)
  }

  /** The client calls a tool of its offer that its model did not ask for. */
  async runUnasked(thread: Thread, tool: RuledTool, where: { readonly client: string; readonly gateway: string }): Promise<void> {
    const pending: Pending = {
      id: `call_${this.talks.number()}`,
      tool,
      args: { about: sentence(this.talks.number(), 'Unasked') },
      said: clean,
      thread,
      reading: thread.reading,
      turn: undefined,
      common: false,
      isWrong: false,
      mintedAt: 0,
      ticket: 'used',
      result: undefined,
      failed: false,
      child: undefined,
    }
    await this.#callTool(pending, tool, 'as proposed', where)
  }

  /** What the server says when its tool runs. */
  answerOfServer(tool: string, args: JsonObject): string {
    if (tool === 'notes__recall') return this.#note.text
    if (tool === 'notes__keep') this.#kept = String(args.about)
    this.#served = this.talks.resultOf(tool as RuledTool)
    return this.#served.text
  }

  #served: Words = { text: '', ...clean }
  #kept = ''

  async #callTool(
    pending: Pending,
    tool: RuledTool,
    how: 'as proposed' | 'with other arguments',
    { client, gateway }: { readonly client: string; readonly gateway: string },
  ): Promise<void> {
    const { thread, reading, id } = pending
    const { kind } = thread
    const headers = toolHeaders(kind, thread)
    const args = {
      ...filled(kind, tool, pending.args),
      ...(how === 'as proposed' ? {} : { note: `changed ${this.talks.number()}` }),
    } as JsonObject
    const isDown = this.#down.includes(tool.split('__')[0] ?? '')
    const now = this.#floors.clock.now()
    const expected = expectedTicket(pending, how, now)
    // Nobody makes a call again that was refused for its arguments: the words of the refusal say so.
    if (pending.isWrong && expected !== 'matched') return
    const called = await this.#call(kind.owner, tool, args, {
      client,
      gateway,
      headers,
      meta: kind.sendsCallId ? { 'claudecode/toolUseId': id } : undefined,
    })
    this.talks.tell(
      `${thread.name} calls ${id} ${tool} ${how} at /mcp/${gateway} as ${client}: ${called.outcome}${called.record === undefined ? '' : ` (ticket ${called.record.ticket}, session ${called.record.session}, turn ${called.record.turn})`}`,
    )
    if (isDown) {
      if (called.outcome !== 'not there') this.#wrong(`a tool of a server that is down was ${called.outcome}`)
      pending.result ??= { text: 'The server is not there.', ...clean }
      pending.failed = true
      return
    }
    if (called.outcome === 'not there') this.#wrong(`a tool of a server that runs is not there: ${called.text}`)
    if (expected !== 'either' && called.record?.ticket !== expected)
      this.#wrong(`${id}: the ticket is ${called.record?.ticket}, and not ${expected}`)
    if (expected === 'matched' && called.record?.turn !== pending.turn)
      this.#wrong(
        `${id}: the tool call is in turn ${called.record?.turn}, and not in that of the model call that proposed it, ${pending.turn}`,
      )
    if (how === 'as proposed' && expected !== 'none') pending.ticket = 'used'
    const read = union([reading.read, reading.loose])
    const isNear = expected === 'matched' || now - reading.askedAt <= linkWindowMs || headers['x-turnward-session'] !== undefined
    if (called.outcome === 'run' && isNear && isForbidden(tool, read))
      this.#wrong(`${id}: ${tool} ran for a conversation that had read ${listed(read)}`)
    if (pending.isWrong && called.outcome === 'run') this.#wrong(`${id}: ${tool} ran with arguments that do not fit`)
    if (called.outcome === 'refused' && !pending.isWrong && this.#mustRun(kind.owner, reading, expected, headers))
      this.#wrong(`a conversation that read nothing restricted was refused ${id} ${tool}: ${called.text}`)
    if (called.outcome === 'refused') {
      pending.result ??= { text: called.text, ...clean }
      pending.failed = true
      return
    }
    const result = this.#resultRead(tool, called.text, pending)
    pending.result = result
    pending.failed = false
    if (expected === 'matched' || headers['x-turnward-session'] !== undefined) reading.add(result)
    else {
      for (const one of result.read) reading.loose.add(one)
      this.#connections[kind.owner]?.used(now, result, mcpIdleMs)
    }
  }

  #resultRead(tool: RuledTool, text: string, pending: Pending): Words {
    if (tool === 'notes__keep') this.#note = { text: this.#kept, ...pending.said }
    return tool === 'notes__recall' ? { ...this.#note, text } : { ...this.#served, text }
  }

  /** Whether a call must not be refused: neither its conversation nor what else counts for it has read anything restricted. */
  #mustRun(owner: number, reading: Reading, ticket: 'matched' | 'none' | 'either', headers: Readonly<Record<string, string>>): boolean {
    const isConnectionClean = headers['x-turnward-session'] !== undefined || this.#connections[owner]?.may.size === 0
    const areSiblingsClean = this.talks.readings.every((one) => one.owner !== owner || one.may.size === 0)
    return reading.may.size === 0 && isConnectionClean && (ticket === 'matched' || areSiblingsClean)
  }

  async #call(
    owner: number,
    tool: string,
    args: JsonObject,
    {
      client,
      gateway,
      headers = {},
      meta,
    }: {
      readonly client: string
      readonly gateway: string
      readonly headers?: Record<string, string>
      readonly meta?: JsonObject | undefined
    },
  ) {
    const before = this.#floors.ran.length
    const context = await this.#floors.context(this.#keys[owner] ?? '', client, gateway, headers)
    const request = {
      kind: 'tool_call' as const,
      name: tool,
      args,
      unfit: undefined,
      meta,
      signal: new AbortController().signal,
      onProgress: undefined,
    }
    const answer = await this.#floors.operations.callTool(context, request).catch(asTurnwardError)
    const record = this.#floors.log.records.findLast(({ kind, type }) => kind === 'tool_call' && type === 'decision')
    if (answer instanceof Error) return { outcome: 'not there' as const, text: answer.message, record: undefined }
    const text = textOf(answer)
    return { outcome: this.#floors.ran.length > before ? ('run' as const) : ('refused' as const), text, record }
  }

  /** A program that makes no model calls uses the same key: its calls belong to its connection. */
  async stray(owner: number, tool: RuledTool, where: { readonly client: string; readonly gateway: string }): Promise<void> {
    if (this.#down.includes(tool.split('__')[0] ?? '')) return
    const connection = this.#connections[owner] ?? new Connection()
    const now = this.#floors.clock.now()
    const read = now - connection.usedAt <= mcpIdleMs ? new Set(connection.read) : nothing
    const called = await this.#call(owner, tool, { about: sentence(this.talks.number(), 'Stray') }, where)
    this.talks.tell(`a program without model calls, key ${owner}, calls ${tool} at /mcp/${where.gateway}: ${called.outcome}`)
    if (called.outcome === 'run' && isForbidden(tool, read))
      this.#wrong(`${tool} ran for a program whose connections had read ${listed(read)}`)
    if (called.outcome === 'refused' && this.#mustRun(owner, new Reading(owner), 'none', {}))
      this.#wrong(`a program whose owner has read nothing restricted was refused ${tool}: ${called.text}`)
    if (tool === 'notes__keep') this.#note = { text: this.#kept, ...clean }
    connection.used(now, called.outcome === 'run' ? (tool === 'notes__recall' ? this.#note : { ...this.#served }) : clean, mcpIdleMs)
    await this.#checkList(owner, connection, where.gateway)
  }

  async #checkList(owner: number, connection: Connection, gateway: string): Promise<void> {
    const { tools } = await this.#floors.operations.listTools(await this.#floors.context(this.#keys[owner] ?? '', 'lister', gateway))
    const missing = gatewayTools.filter(
      (tool) => !this.#down.includes(tool.split('__')[0] ?? '') && !tools.some(({ name }) => name === tool),
    )
    if (connection.may.size === 0 && missing.length > 0)
      this.#wrong(`a connection that read nothing restricted is not shown ${missing.join(', ')}`)
  }

  /** Everything that waits is run, and the results stand in the history. */
  async finish(thread: Thread, where: { readonly client: string; readonly gateway: string }): Promise<void> {
    for (const pending of thread.pending) if (pending.result === undefined) await this.run(pending, 'as proposed', where)
    this.talks.giveResults(thread, { text: 'There is no answer.', ...clean })
  }

  servers(down: readonly string[]): void {
    this.#down = down
    this.#floors.takeDown(...down)
    this.talks.tell(down.length === 0 ? 'every server runs' : `these servers go down: ${down.join(', ')}`)
  }

  nap(minutes: number): void {
    this.#floors.clock.advance(minutes * 60_000)
    this.talks.tell(`${minutes} minutes pass`)
  }
}

/** Whether the call must come with the ticket of its proposal; of a call in common words nobody can say. */
function expectedTicket(
  { common, ticket, mintedAt }: Pending,
  how: 'as proposed' | 'with other arguments',
  now: number,
): 'matched' | 'none' | 'either' {
  if (how !== 'as proposed') return 'none'
  if (common) return 'either'
  return ticket === 'used' || now >= mintedAt + ticketLifeMs ? 'none' : 'matched'
}

function header({ headers }: RawAnswer, name: string): string | undefined {
  const value = headers[name]
  return typeof value === 'string' ? value : undefined
}

function textOf({ content }: JsonObject): string {
  return Array.isArray(content) ? content.map((one) => (isObject(one) && typeof one.text === 'string' ? one.text : '')).join('') : ''
}

function listed(read: Iterable<string>): string {
  return [...read].join(' and ') || 'nothing restricted'
}

function describe({ wire, streams, owner, prefix, through, names, fills, reminds, sendsCallId, namesTools }: ClientKind): string {
  return `${wire}${streams ? ' streamed' : ''}, key ${owner}, ${through === 'no' ? `tools as ${prefix}x` : `calls ${prefix}x through its own tool`}, names: ${names}${namesTools ? ' (tools too)' : ''}${fills ? ', fills in' : ''}${reminds ? ', reminds' : ''}${sendsCallId ? ', sends call ids' : ''}`
}
