/**
 * Answers a request that names servers of this gateway: its client expects their tools to run within the request. The model
 * is offered them, asked, what it calls is run, and it is asked again, until its answer is whole. Every round is a model call
 * like any other, every call goes to the agent floor: both are decided and on record as if a client had made them.
 */
import type { Snapshot } from '../../config/snapshot.ts'
import { TurnwardError } from '../../core/error.ts'
import { newId } from '../../core/ids.ts'
import { asText, isObject, type JsonObject } from '../../core/json.ts'
import { parseJson } from '../../core/parse-json.ts'
import type { Caller } from '../../core/principal.ts'
import type { Dialect } from '../../wire/dialect.ts'
import type { ServedCall, ServedRequest } from '../../wire/served-tools.ts'
import { keepReleased } from '../keeping/keeping-answer.ts'
import type { CallOrigin } from '../origins/call-origin.ts'
import { memoryCall, type MemoryAnswer } from '../origins/memory-origin.ts'
import type { ReadRequest } from '../reading-request.ts'
import type { Services } from '../services.ts'
import { forCall, settleState } from '../state-of-call.ts'
import { offeredBy, ownServers, type OwnServer, type ServingCall } from './offering.ts'
import { RoundOutlet } from './round-outlet.ts'
import { failed, runServedCall } from './running-call.ts'

export interface ServingRequest {
  readonly origin: CallOrigin
  readonly caller: Caller
  readonly dialect: Dialect
  readonly snapshot: Snapshot
  readonly read: ReadRequest
}

type RunCall = (gateway: Services, origin: CallOrigin, dialect: Dialect) => Promise<void>

/** Whether tools of this gateway are to be run within the request, or have been run in its conversation. Throws `request.invalid`. */
export function namesOwnServers({ dialect, snapshot, read }: Pick<ServingRequest, 'dialect' | 'snapshot' | 'read'>): boolean {
  const { served } = dialect
  const { json } = read.body
  return served !== undefined && (served.isIn(json) || ownServers(dialect, json, snapshot).length > 0)
}

/** Rejects with what the client must be told; nothing has gone out then but the beginning of a stream. */
export async function answerWithTools(services: Services, request: ServingRequest, run: RunCall): Promise<void> {
  const { origin, dialect, snapshot, caller, read } = request
  if (dialect.served === undefined) throw new TurnwardError('gateway.internal', { why: 'the dialect names no servers' })
  const { json: body } = read.body
  const call: ServingCall = { services, snapshot, caller, origin }
  const servers = ownServers(dialect, body, snapshot)
  const offered = await Promise.all(servers.map((server) => offeredBy(call, server)))
  const emit = read.view.stream ? (event: JsonObject) => origin.outlet.write(eventText(event)) : undefined
  const asking = dialect.served.begin(body, offered, emit)
  const loop = new ServingLoop(call, asking, new Map(servers.map((server) => [server.label, server])))
  const taken = await loop.take(() => takeRound(request, asking, (inner) => run(services, inner, dialect)))
  if (taken === undefined) return
  const { answer } = asking
  const response = answer.response()
  const own = forCall(services, caller)
  // Whoever goes on from the answer by its id finds it.
  await keepReleased({ ...request, services: own, keeping: read.keeping, modelCall: taken.modelCall }, response)
  await settleState(own)
  finish(request, asking, taken, response)
}

/** What a round was answered with, besides its answer. */
interface TakenRound {
  readonly headers: MemoryAnswer['headers']
  readonly modelCall: string
}

class ServingLoop {
  readonly #call: ServingCall
  readonly #asking: ServedRequest
  readonly #servers: ReadonlyMap<string, OwnServer>
  #ran = 0

  constructor(call: ServingCall, asking: ServedRequest, servers: ReadonlyMap<string, OwnServer>) {
    this.#call = call
    this.#asking = asking
    this.#servers = servers
  }

  /** Resolves with the last round; undefined when the client has been told that one failed. */
  async take(takeNext: () => Promise<TakenRound | undefined>): Promise<TakenRound | undefined> {
    const { answer, approved } = this.#asking
    const { max_tool_rounds: mostRounds } = this.#call.snapshot.settings.turns
    for (const call of approved) this.#asking.settle(call, await this.#run(call))
    for (let round = 1; ; round += 1) {
      const taken = await takeNext()
      if (taken === undefined || answer.hasFailed) return undefined
      const { calls, isLast } = answer
      const results = new Map<string, JsonObject>()
      // One after the other: what one has read counts for the next.
      for (const call of calls) {
        const result = round > mostRounds ? tooMany : await this.#run(call)
        answer.came(call, result)
        results.set(call.id, result)
      }
      if (isLast || round > mostRounds) return taken
      this.#asking.goOn(results, round === mostRounds || this.#isUsedUp())
    }
  }

  async #run(call: ServedCall): Promise<JsonObject> {
    const server = this.#servers.get(call.label)
    if (server === undefined || this.#isUsedUp()) return tooMany
    this.#ran += 1
    const stop = keepAudible(this.#call)
    try {
      return await runServedCall(this.#call, server, call)
    } finally {
      stop()
    }
  }

  #isUsedUp(): boolean {
    return this.#ran >= (this.#asking.mostCalls ?? Infinity)
  }
}

/** A tool that takes its time must not look like a dead connection. Returns the way to stop. */
function keepAudible({ origin: { outlet }, snapshot }: ServingCall): () => void {
  const timer = setInterval(() => {
    if (outlet.hasBegun && outlet.isOpen && !outlet.isFull) outlet.write(': keep-alive\n\n')
  }, snapshot.settings.turns.keep_alive_ms)
  return () => clearInterval(timer)
}

const tooMany = failed('not run: as many tools have been called as the request may call')

async function takeRound(
  { origin, caller, snapshot, read }: ServingRequest,
  asking: ServedRequest,
  run: (origin: CallOrigin) => Promise<void>,
): Promise<TakenRound | undefined> {
  const { limits } = snapshot.settings
  const { headers, signal } = origin
  const { body, answer } = asking
  if (!read.view.stream) {
    const call = memoryCall({ caller, body, maxBytes: limits.max_response_bytes, headers, templated: read.templated, signal })
    const [whole] = await Promise.all([call.answer, run(call.origin)])
    if (whole.status < 400) {
      answer.whole(parsed(whole.body))
      return roundOf(whole.headers)
    }
    origin.outlet.head(whole.status, whole.headers)
    origin.outlet.end(whole.body)
    return undefined
  }
  const outlet = new RoundOutlet(origin.outlet, answer, limits.max_event_bytes)
  const cancel = (reason: TurnwardError): void => origin.cancel(reason)
  await run({ headers, caller, templated: read.templated, body: async () => Buffer.from(JSON.stringify(body)), signal, cancel, outlet })
  if (signal.aborted || !origin.outlet.isOpen) return undefined
  if (answer.hasFailed) origin.outlet.end()
  return outlet.isAnswered || answer.hasFailed ? undefined : roundOf(outlet.headers ?? {})
}

function roundOf(headers: MemoryAnswer['headers']): TakenRound {
  const modelCall = headers['x-turnward-call']
  return { headers, modelCall: typeof modelCall === 'string' ? modelCall : newId('mc') }
}

function parsed(bytes: Buffer): JsonObject {
  const value: unknown = parseJson(bytes.toString('utf8'))
  if (!isObject(value)) throw new TurnwardError('gateway.internal', { why: 'an answer of a round is no object' })
  return value
}

function finish({ origin, read }: ServingRequest, { answer }: ServedRequest, { headers }: TakenRound, response: JsonObject): void {
  const { outlet } = origin
  if (read.view.stream) {
    answer.end(response)
    outlet.end()
    return
  }
  const bytes = Buffer.from(JSON.stringify(response))
  outlet.head(200, { ...headers, 'content-length': bytes.length })
  outlet.end(bytes)
}

function eventText(event: JsonObject): string {
  return `event: ${asText(event.type)}\ndata: ${JSON.stringify(event)}\n\n`
}
