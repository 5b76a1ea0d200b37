/** A streamed answer: text at once, in the upstream's own bytes; calls and the end of the message when they are decided. */
import type { UsageRecord } from '@turnward/contract/decision'
import { maskSecrets } from '../../models/masking-secrets.ts'
import type { RoutedResponse } from '../../models/asking-upstream.ts'
import type { ToolCallView, WrittenArguments } from '../../wire/dialect.ts'
import { StreamGate } from '../../wire/gate/stream-gate.ts'
import { isObject, type JsonObject } from '../../core/json.ts'
import type { ModelCall } from '../call.ts'
import { hasLineForPerson } from '../telling/telling-person.ts'
import type { Answer, Round, Shown } from './answer.ts'
import { answerHeaders } from './answering-client.ts'
import { beginWithComment, startEarlyHead, streamHeaders } from './early-head.ts'
import { answeredWithError, cutOff } from './failed-answer.ts'
import { pumpStream } from './pumping-stream.ts'

export class StreamedAnswer implements Answer {
  readonly #call: ModelCall
  readonly #gate: StreamGate
  readonly #keepAlive: NodeJS.Timeout
  readonly #earlyHead: NodeJS.Timeout | undefined
  #routed: RoutedResponse | undefined
  /** An upstream has said all it had to say: what is waited for are decisions, people's too. */
  #isTaken = false
  /** Something of an upstream has gone out; comments of ours are nothing. */
  hasShown = false
  #calls: readonly ToolCallView[] = []
  #released: readonly ToolCallView[] = []
  #args: WrittenArguments = new Map()
  /** What the round has used that a limit has ended: it ends as one that has become too long. */
  #usedUp: UsageRecord | undefined
  #send: () => void = () => {}

  constructor(call: ModelCall) {
    this.#call = call
    const { limits, turns } = call.snapshot.settings
    this.#gate = new StreamGate(call.dialect.streamLens(call.view.wantsUsage), this, {
      maxEventBytes: limits.max_event_bytes,
      // What is kept must be there before its client can ask for it.
      holdsEnd: () => call.keeping !== undefined || hasLineForPerson(call),
    })
    // A quiet upstream or a held call must not look like a dead connection to proxies and clients.
    this.#keepAlive = setInterval(this.#sendComment, turns.keep_alive_ms)
    this.#earlyHead = startEarlyHead(call)
  }

  get saidCharacters(): number {
    return this.#gate.deliveredText.length
  }

  get takesLine(): boolean {
    return this.#gate.isHolding && this.#usedUp === undefined
  }

  /** The head goes out with the first byte: until then an upstream may still fail into a real status. */
  write(bytes: Uint8Array | string): void {
    const { outlet } = this.#call.origin
    if (!this.hasShown) this.#begin()
    outlet.write(bytes)
  }

  #begin(): void {
    const { outlet } = this.#call.origin
    this.hasShown = true
    if (!outlet.hasBegun && this.#routed !== undefined)
      outlet.head(200, { ...answerHeaders(this.#call, this.#routed, 'text/event-stream; charset=utf-8'), ...streamHeaders })
    this.#call.span.firstByte()
  }

  async take(routed: RoutedResponse): Promise<Round> {
    this.#routed = routed
    this.#isTaken = false
    const round = await pumpStream(this.#call, routed, this.#gate)
    if (this.#gate.error !== undefined) throw this.#failed(routed)
    if (!round.complete) throw cutOff(this.#call, routed)
    this.#calls = round.calls
    if (round.endedBy !== undefined) this.#usedUp = round.usage
    this.#isTaken = true
    return round
  }

  drop(): void {
    this.#gate.restart()
  }

  nextRound(): void {
    this.#gate.nextRound()
  }

  release(allowed: ReadonlySet<string>, line: string, args: WrittenArguments): Shown {
    if (this.#usedUp !== undefined) return this.#close('', this.#usedUp)
    this.#args = args
    if (line !== '') this.#gate.addText(line)
    this.#send = () => {
      if (this.#gate.isHolding) this.#gate.release(allowed, args)
    }
    this.#released = this.#calls.filter(({ id }) => allowed.has(id))
    return { text: this.#gate.deliveredText, calls: this.#released }
  }

  close(text: string): Shown {
    return this.#close(text)
  }

  #close(text: string, used?: UsageRecord): Shown {
    const events = this.#gate.close(text, used)
    this.#send = () => this.write(events)
    return { text: this.#gate.deliveredText, calls: [] }
  }

  released(): JsonObject | undefined {
    return this.#gate.released(new Set(this.#released.map(({ id }) => id)), this.#args)
  }

  end(): void {
    this.#send()
    this.#call.origin.outlet.end()
  }

  stop(): void {
    clearInterval(this.#keepAlive)
    clearTimeout(this.#earlyHead)
  }

  /** Told in the upstream's own words where the client has begun to read, and as a status otherwise. */
  #failed(routed: RoutedResponse): Error {
    const { outlet } = this.#call.origin
    const { error = null, raw = Buffer.alloc(0) } = this.#gate.error ?? {}
    const failure = answeredWithError(this.#call, routed, error)
    const isNative = isObject(error) && typeof error.message === 'string'
    // An envelope that is not the dialect's is told anew, by whoever is told of the failure.
    if (this.hasShown && isNative) outlet.end(maskSecrets(raw, routed.secrets))
    return failure
  }

  #sendComment = (): void => {
    const { outlet } = this.#call.origin
    this.#gate.passComments()
    // A call that waits for a person must not look like a dead connection either.
    if (this.#isTaken) beginWithComment(this.#call, ': waiting for a decision\n\n')
    if (outlet.hasBegun && outlet.isOpen && !outlet.isFull) outlet.write(': keep-alive\n\n')
  }
}
