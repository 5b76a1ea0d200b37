/** A whole answer: the upstream's bytes when nothing is refused, an edited answer otherwise. */
import type { UsageRecord } from '@turnward/contract/decision'
import { TurnwardError } from '../../core/error.ts'
import { isObject, type JsonObject } from '../../core/json.ts'
import { parseJson } from '../../core/parse-json.ts'
import { collectBody } from '../../models/collecting-body.ts'
import type { RoutedResponse } from '../../models/asking-upstream.ts'
import { converterFor } from '../../wire/converting/converting.ts'
import type { Dialect, ResponseView, WrittenArguments } from '../../wire/dialect.ts'
import { dialectByName } from '../../wire/dialects.ts'
import type { ModelCall } from '../call.ts'
import { guardWhole } from '../guards/guarding-answer.ts'
import { railWhole } from '../rails/rails.ts'
import { transformAnswer } from '../transforms/transforming-answer.ts'
import type { Answer, Round, Shown } from './answer.ts'
import { answerHeaders } from './answering-client.ts'
import { answeredWithError } from './failed-answer.ts'

/** What the last upstream said, in the client's dialect. */
interface Taken {
  readonly routed: RoutedResponse
  readonly body: JsonObject
  readonly view: ResponseView
  /** The upstream's bytes, while they still say what `body` says. */
  readonly bytes: Buffer | undefined
}

export class WholeAnswer implements Answer {
  readonly takesLine = true
  readonly hasShown = false
  readonly #call: ModelCall
  #taken: Taken | undefined
  #bytes: Buffer = Buffer.alloc(0)
  /** Of rounds before the last one. */
  readonly #earlier: { text: string; readonly usage: UsageRecord[] } = { text: '', usage: [] }

  constructor(call: ModelCall) {
    this.#call = call
  }

  async take(routed: RoutedResponse): Promise<Round> {
    const { dialect, snapshot } = this.#call
    const upstream = routed.target.upstream.name
    const bytes = await collectBody(routed.response, snapshot.settings.limits.max_response_bytes, upstream)
    const parsed = this.#parse(bytes, upstream)
    const converter = converterFor(dialect.name, routed.dialect)
    const error = dialectByName[routed.dialect].errorIn(parsed, '')
    if (error !== undefined) throw answeredWithError(this.#call, routed, error)
    // A conversion passes over what it cannot read; the upstream's own dialect does not.
    if (converter !== undefined) readAsItsOwn(dialectByName[routed.dialect], parsed)
    const body =
      converter === undefined ? parsed : converter.response(parsed, { upstream, model: routed.target.model ?? this.#call.view.model })
    const isNormalised = dialect.respond.normalise(body)
    // What people are shown is what the history keeps.
    const isGuarded = await guardWhole(this.#call, body)
    const isEdited = railWhole(this.#call, body) || isGuarded || isNormalised
    const view = dialect.readResponse(body)
    const { calls, cutCalls, finish, usage, id: responseId, model, vendorRan = false } = view
    if (cutCalls.length > 0) dialect.respond.dropCalls(body, new Set(cutCalls))
    // What was read of it is what the upstream said: prices go by its own name of the model.
    const isTransformed = transformAnswer(this.#call, body)
    const isAsSent = converter === undefined && !isEdited && !isTransformed && cutCalls.length === 0
    this.#taken = { routed, body, view, bytes: isAsSent ? bytes : undefined }
    const native = new Map(calls.map((made) => [made.id, dialect.respond.nativeCall(body, made.id) ?? {}]))
    const assistant = (): JsonObject => dialect.respond.assistantMessage(body)
    return { calls, native, assistant, cutCalls: cutCalls.length, finish, usage, responseId, model, vendorRan }
  }

  get saidCharacters(): number {
    return this.#taken?.view.text.length ?? 0
  }

  drop(): void {
    this.#taken = undefined
  }

  nextRound(): void {
    const { view } = this.#have()
    this.#earlier.text = joinText(this.#earlier.text, view.text)
    if (view.usage !== undefined) this.#earlier.usage.push(view.usage)
  }

  release(allowed: ReadonlySet<string>, line: string, args: WrittenArguments): Shown {
    const { respond } = this.#call.dialect
    const { body, view, bytes } = this.#have()
    const dropped = view.calls.map(({ id }) => id).filter((id) => !allowed.has(id))
    const isContinued = this.#earlier.text !== '' || this.#earlier.usage.length > 0
    if (dropped.length === 0 && !isContinued && line === '' && args.size === 0) {
      this.#bytes = bytes ?? Buffer.from(JSON.stringify(body))
      return { text: view.text, calls: view.calls }
    }
    if (dropped.length > 0) respond.dropCalls(body, new Set(dropped))
    if (args.size > 0) respond.writeArguments(body, args)
    respond.mergeEarlier(body, this.#earlier)
    if (line !== '') respond.appendText(body, line)
    return { text: this.#settle(body).text, calls: view.calls.filter(({ id }) => allowed.has(id)) }
  }

  close(text: string): Shown {
    const { respond } = this.#call.dialect
    const { body, view } = this.#have()
    respond.dropCalls(body, new Set(view.calls.map(({ id }) => id)))
    respond.appendText(body, text)
    respond.mergeEarlier(body, this.#earlier)
    return this.#settle(body)
  }

  released(): JsonObject {
    return this.#have().body
  }

  end(): void {
    const { outlet } = this.#call.origin
    const headers = answerHeaders(this.#call, this.#have().routed, 'application/json')
    headers['content-length'] = this.#bytes.length
    outlet.head(200, headers)
    this.#call.span.firstByte()
    outlet.end(this.#bytes)
  }

  stop(): void {}

  #settle(body: JsonObject): Shown {
    this.#bytes = Buffer.from(JSON.stringify(body))
    const { text, calls } = this.#call.dialect.readResponse(body)
    return { text, calls }
  }

  #have(): Taken {
    if (this.#taken === undefined) throw new TurnwardError('gateway.internal', { why: 'an answer was settled before it was taken' })
    return this.#taken
  }

  #parse(bytes: Buffer, upstream: string): JsonObject {
    const broken = (why: string, cause?: unknown): TurnwardError =>
      new TurnwardError('upstream.malformed', { subject: upstream, why, turn: this.#call.turn ?? undefined, cause })
    if (bytes.length === 0) throw broken('it answered with nothing')
    let parsed: unknown
    try {
      parsed = parseJson(bytes.toString('utf8'))
    } catch (error) {
      throw broken('the answer is not JSON', error)
    }
    if (!isObject(parsed)) throw broken('the answer is not a JSON object')
    return parsed
  }
}

/** Throws `upstream.malformed` for an answer that is not of its dialect. */
function readAsItsOwn(dialect: Dialect, body: JsonObject): void {
  dialect.respond.normalise(body)
  dialect.readResponse(body)
}

function joinText(earlier: string, text: string): string {
  return earlier === '' || text === '' ? earlier + text : `${earlier}\n${text}`
}
