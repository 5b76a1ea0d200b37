/**
 * What the upstream says goes on as it comes, but for calls: each is decided when its arguments are whole, with its decision
 * on disk, and then goes on, or is never seen. A refused call does not end the turn: the model is told, and asked again.
 */
import { newId, randomText } from '../../core/ids.ts'
import { isObject, type JsonObject } from '../../core/json.ts'
import type { Logger } from '../../core/logger.ts'
import { parseJson } from '../../core/parse-json.ts'
import type { CallGate, WholeCall } from '../../wire/realtime/call-gate.ts'
import { malformed } from '../../wire/request/fields.ts'
import { decideProposals } from '../deciding/deciding-proposals.ts'
import { callKeyOf } from '../deciding/ruling-on-proposals.ts'
import { admitWords } from '../deciding/admitting-history.ts'
import { narrowWhenSent } from '../deciding/narrowing-when-sent.ts'
import { isFreeLabel, rememberWords, textsIn } from '../provenance/words-of-call.ts'
import { settleState } from '../state-of-call.ts'
import { chargeAnswer } from '../limiting/charging-realtime.ts'
import type { Conversation } from './conversation.ts'
import { RunningResponse } from './running-response.ts'

export interface UpstreamEarOptions {
  readonly conversation: Conversation
  readonly gate: CallGate
  readonly logger: Logger
  readonly toClient: (text: string) => void
  readonly toUpstream: (text: string) => void
  /** Tells the client that the model keeps proposing what is refused. */
  readonly onExhausted: (names: readonly string[]) => void
}

/** Answers under way at the same time. */
const mostRunning = 64
/** Events of an answer that say whole what it has said in fragments. */
const spokenField: Readonly<Record<string, 'text' | 'transcript'>> = {
  'response.output_text.done': 'text',
  'response.text.done': 'text',
  'response.output_audio_transcript.done': 'transcript',
  'response.audio_transcript.done': 'transcript',
}

export class UpstreamEar {
  readonly #options: UpstreamEarOptions
  readonly #running = new Map<string, RunningResponse>()
  /** How events of the gateway's own begin: an upstream that has something against one names it so. */
  readonly #ownEvents = `event_tw${randomText(10)}_`
  #made = 0

  constructor(options: UpstreamEarOptions) {
    this.#options = options
  }

  /** One event. Rejects with what ends the session. */
  async hear(data: Buffer, isBinary: boolean): Promise<void> {
    const text = data.toString('utf8')
    const event = isBinary ? undefined : parsed(text)
    if (event === undefined) throw malformed('what came is not an event')
    const { conversation, gate } = this.#options
    switch (event.type) {
      case 'response.created':
        return this.#begin(event, text)
      case 'response.done':
        return this.#end(event, text)
      case 'error':
        return this.#failed(event, text)
      case 'input_audio_buffer.committed':
        await conversation.personSpoke()
        break
      case 'conversation.item.input_audio_transcription.completed':
        await this.#heardPerson(event.transcript)
        break
    }
    const passage = gate.take(event, text)
    if (passage.kind === 'hold') return
    const response = this.#responseOf(event)
    const field = typeof event.type === 'string' ? spokenField[event.type] : undefined
    const said = field === undefined ? undefined : event[field]
    if (typeof said === 'string') response?.say(said)
    if (passage.kind === 'pass') this.#show(event, text, response)
    else if (response === undefined) throw malformed('a call belongs to no answer')
    else await this.#decide([passage.call], response)
  }

  async #begin(event: JsonObject, text: string): Promise<void> {
    const { response: begun } = event
    if (!isObject(begun) || typeof begun.id !== 'string') throw malformed('an answer has no id')
    if (this.#running.size >= mostRunning) throw malformed(`more than ${mostRunning} answers at the same time`)
    this.#options.gate.begin(begun)
    const response = await this.#unannounced()
    response.created = { event, text }
    response.isAside = begun.conversation_id === null
    this.#running.set(begun.id, response)
  }

  async #unannounced(): Promise<RunningResponse> {
    const { conversation } = this.#options
    const response = new RunningResponse(conversation.services.clock.monotonic())
    await conversation.answerBegan()
    await conversation.step(response.modelCall, async (call) => response.recordBegin(conversation, call))
    return response
  }

  #responseOf({ response_id: id }: JsonObject): RunningResponse | undefined {
    return typeof id === 'string' ? this.#running.get(id) : undefined
  }

  /** Rules on calls: those that may go on do, with everything that was said of them. */
  async #decide(calls: readonly WholeCall[], response: RunningResponse): Promise<void> {
    const { conversation, gate } = this.#options
    for (const { view } of calls) {
      if (response.callIds.has(view.id)) throw malformed('two calls of one answer have the same id')
      response.callIds.add(view.id)
    }
    await conversation.step(response.modelCall, async (call) => {
      const native = new Map(calls.map((one) => [one.view.id, one.native]))
      const rulings = await decideProposals(call, { calls: calls.map(({ view }) => view), native, canWrite: false })
      // Nobody may learn of a call before what is expected of it is written.
      await settleState(call.services)
      response.stayed.push(...rulings.stayed)
      for (const { view, itemId } of calls) {
        if (!rulings.allowed.has(view.id)) {
          conversation.made.delete(view.id)
          conversation.refused.add(view.id)
          gate.drop(itemId)
          continue
        }
        response.released += 1
        for (const one of textsIn(view.args)) response.say(one)
        conversation.refused.delete(view.id)
        const { tools, args } = call.meanings.ofCall(view)
        conversation.made.set(view.id, { name: view.name, tools, args, callKey: callKeyOf(response.modelCall, view.id) })
        for (const frame of gate.release(itemId)) this.#show(parsed(frame) ?? {}, frame, response)
      }
    })
  }

  async #end(event: JsonObject, text: string): Promise<void> {
    const { conversation, gate, onExhausted, toUpstream } = this.#options
    const { response: ended } = event
    if (!isObject(ended) || typeof ended.id !== 'string') throw malformed('an answer has no id')
    const response = this.#running.get(ended.id) ?? (await this.#unannounced())
    const undecided = gate.undecided(ended)
    if (undecided.length > 0) await this.#decide(undecided, response)
    this.#running.delete(ended.id)
    if (this.#running.size === 0) gate.dropUnfinished()
    await conversation.step(response.modelCall, async (call) => {
      const { label } = call.session.policyState
      // What is said under a restricted label carries it wherever it is repeated.
      if (!isFreeLabel(call, label)) await rememberWords(call, response.said, label)
      if (conversation.target !== undefined) await call.services.prices.ready(conversation.target.upstream)
      const used = response.recordEnd(conversation, call, ended.status, ended.usage)
      await chargeAnswer(call, conversation, used)
      await settleState(call.services)
    })
    const { stayed, released, isAside } = response
    const hasAllStayed = stayed.length > 0 && released === 0
    const { max_splices: mostRounds } = conversation.snapshot.settings.turns
    const isAskedAgain = hasAllStayed && !isAside && ended.status === 'completed' && conversation.rounds < mostRounds
    // An answer of which nothing is left has not been, as long as another comes in its place.
    if (!(isAskedAgain && response.created !== undefined)) {
      const shown = gate.shown(event)
      this.#show(shown, shown === event ? text : JSON.stringify(shown), response)
    }
    if (stayed.length === 0) return
    if (!isAside) for (const { id, notice } of stayed) this.#tell(id, notice)
    conversation.services.telemetry.count('turnward_splices_total', { kind: hasAllStayed ? 'all' : 'mixed' })
    if (isAskedAgain) {
      conversation.rounds += 1
      toUpstream(JSON.stringify({ type: 'response.create', event_id: this.#ownEvent(), ...formOf(ended) }))
    } else if (hasAllStayed && ended.status !== 'cancelled') onExhausted([...new Set(stayed.map(({ name }) => name))])
  }

  /** The model is told what became of a call. */
  #tell(callId: string, notice: string): void {
    const { gate, toUpstream } = this.#options
    const id = `item_tw${randomText(20)}`
    gate.noteOwn(id)
    const item = { id, type: 'function_call_output', call_id: callId, output: notice }
    toUpstream(JSON.stringify({ type: 'conversation.item.create', event_id: this.#ownEvent(), item }))
  }

  /** What the upstream has against an event of the gateway's own is not the client's concern. */
  #failed(event: JsonObject, text: string): void {
    const { error } = event
    if (isObject(error) && typeof error.event_id === 'string' && error.event_id.startsWith(this.#ownEvents))
      this.#options.logger.warn({ upstream: this.#options.conversation.attempt?.upstream }, 'the model could not be told of a refused call')
    else this.#options.toClient(text)
  }

  async #heardPerson(transcript: JsonObject[string] | undefined): Promise<void> {
    if (typeof transcript !== 'string') return
    await this.#options.conversation.step(newId('mc'), async (call) => {
      await admitWords(call, transcript, false)
      await narrowWhenSent(call)
      await settleState(call.services)
    })
  }

  #show(event: JsonObject, text: string, response: RunningResponse | undefined): void {
    const { toClient, gate } = this.#options
    const shown = response ?? this.#ofAnswer(event)
    if (shown?.created !== undefined) {
      const { text: first } = shown.created
      shown.created = undefined
      toClient(first)
    }
    const renamed = gate.renamed(event)
    toClient(renamed === event ? text : JSON.stringify(renamed))
  }

  /** An item of an answer comes without the id of the answer as well. */
  #ofAnswer({ item }: JsonObject): RunningResponse | undefined {
    if (!isObject(item) || (item.role !== 'assistant' && item.type !== 'function_call')) return undefined
    return [...this.#running.values()].find(({ created, isAside }) => created !== undefined && !isAside)
  }

  #ownEvent(): string {
    this.#made += 1
    return `${this.#ownEvents}${this.#made}`
  }
}

/** The form in which the client wanted the answer that comes to nothing. */
function formOf({ output_modalities: modalities, metadata }: JsonObject): JsonObject {
  const response = {
    ...(Array.isArray(modalities) ? { output_modalities: modalities } : {}),
    ...(isObject(metadata) ? { metadata } : {}),
  }
  return Object.keys(response).length === 0 ? {} : { response }
}

function parsed(text: string): JsonObject | undefined {
  try {
    const value = parseJson(text)
    return isObject(value as JsonObject) ? (value as JsonObject) : undefined
  } catch {
    return undefined
  }
}
