/** Moves one upstream event stream through the gate, with back-pressure from the client and conversion between dialects. */
import { TurnwardError } from '../../core/error.ts'
import type { RoutedResponse } from '../../models/asking-upstream.ts'
import type { BodySink } from '../../providers/transport.ts'
import { whenRead } from '../../state/state-store.ts'
import { converterFor } from '../../wire/converting/converting.ts'
import type { StreamConverter } from '../../wire/converting/hub-stream.ts'
import { SseFramer, type SseEvent } from '../../wire/framing/sse.ts'
import type { StreamGate } from '../../wire/gate/stream-gate.ts'
import { cutOff } from './failed-answer.ts'
import { type LimitedRound, StayingAhead } from '../limiting/staying-ahead.ts'
import type { ModelCall } from '../call.ts'
import { guardedEvents } from '../guards/guarding-answer.ts'
import type { GuardedEvents } from '../guards/guarded-events.ts'
import type { RailedEvents } from '../rails/railed-events.ts'
import { railedEvents } from '../rails/rails.ts'
import { narrowWhenRun } from '../deciding/narrowing-when-sent.ts'

/** Resolves when the upstream has ended its stream, or a limit has; a cut-off stream resolves with `complete: false`. Rejects on malformed bytes. */
export function pumpStream(call: ModelCall, routed: RoutedResponse, gate: StreamGate): Promise<LimitedRound> {
  return new Promise((resolve, reject) => new StreamPump(call, routed, gate, resolve, reject).start())
}

/** How long a client may leave its answer unread, in milliseconds; shorter when the upstream's own patience is. */
const longestStallMs = 60_000

class StreamPump implements BodySink {
  readonly #call: ModelCall
  readonly #routed: RoutedResponse
  readonly #gate: StreamGate
  readonly #resolve: (round: LimitedRound) => void
  readonly #reject: (error: unknown) => void
  readonly #framer: SseFramer | undefined
  readonly #converter: StreamConverter | undefined
  /** Between the converter and the gate, where people must not be shown everything. */
  readonly #rail: RailedEvents | undefined
  /** Before it, where guards look at what the model says. */
  readonly #guard: GuardedEvents | undefined
  /** What it may say is reserved ahead of it, where it may run past what was. */
  readonly #ahead: StayingAhead | undefined
  readonly #maxBytes: number
  #received = 0
  #stalled: NodeJS.Timeout | undefined
  #isNarrowing = false
  #isAsking = false
  #isReserving = false
  #isOver = false

  constructor(
    call: ModelCall,
    routed: RoutedResponse,
    gate: StreamGate,
    resolve: (round: LimitedRound) => void,
    reject: (error: unknown) => void,
  ) {
    this.#call = call
    this.#routed = routed
    this.#gate = gate
    this.#resolve = resolve
    this.#reject = reject
    this.#maxBytes = call.snapshot.settings.limits.max_response_bytes
    this.#ahead = StayingAhead.of(call, () => gate.deliveredText.length)
    const { upstream, model = call.view.model } = routed.target
    this.#converter = converterFor(call.dialect.name, routed.dialect)?.stream({ upstream: upstream.name, model })
    const rail = railedEvents(call, (bytes) => gate.push(bytes))
    this.#rail = rail
    this.#guard = guardedEvents(call, {
      push: (bytes) => (rail ?? gate).push(bytes),
      pause: () => this.#wait(true),
      resume: () => this.#wait(false),
      fail: (error) => this.#fail(error),
    })
    if (this.#converter !== undefined) this.#framer = new SseFramer(call.snapshot.settings.limits.max_event_bytes)
  }

  start(): void {
    this.#call.origin.outlet.onDrain(this.#onDrain)
    this.#routed.response.read(this)
  }

  onData(chunk: Buffer): void {
    try {
      this.#received += chunk.length
      if (this.#received > this.#maxBytes) throw this.#tooLong()
      if (this.#framer === undefined) this.#pass(chunk)
      else this.#framer.push(chunk, this.#onEvent)
    } catch (error) {
      this.#fail(error)
      return
    }
    if (this.#call.ifRun.length > 0 && this.#gate.vendorRan) this.#narrow()
    if (this.#gate.error !== undefined) {
      this.#endEarly()
      return
    }
    if (this.#ahead?.isDue(this.#received) === true) this.#stayAhead(this.#ahead)
    if (this.#call.origin.outlet.isFull) this.#pause()
  }

  #pass(bytes: Buffer): void {
    ;(this.#guard ?? this.#rail ?? this.#gate).push(bytes)
  }

  /** A guard asks somebody: more of the answer would only wait here. */
  #wait(isWaiting: boolean): void {
    this.#isAsking = isWaiting
    if (isWaiting) this.#routed.response.pause()
    else this.#goOn()
  }

  #goOn(): void {
    const isWaiting = this.#isNarrowing || this.#isAsking || this.#isReserving
    if (!isWaiting && !this.#call.origin.outlet.isFull) this.#routed.response.resume()
  }

  // What a tool of the vendor's has read counts before more of it goes out.
  #narrow(): void {
    const { response } = this.#routed
    response.pause()
    this.#isNarrowing = true
    narrowWhenRun(this.#call).then(
      () => {
        this.#isNarrowing = false
        this.#goOn()
      },
      (error: unknown) => this.#fail(error),
    )
  }

  // What comes next is reserved before it is read.
  #stayAhead(ahead: StayingAhead): void {
    const told = this.#told()
    const reserved = told === undefined || this.#isReserving ? undefined : ahead.look(this.#received, told)
    if (reserved === undefined) return
    this.#routed.response.pause()
    this.#isReserving = true
    reserved.then(
      (usedUp) => {
        this.#isReserving = false
        if (this.#isOver) return
        // What has come to its end meanwhile has said all it had to say.
        if (usedUp === undefined || this.#told() === undefined) this.#goOn()
        else this.#endShort(ahead, usedUp)
      },
      (error: unknown) => this.#fail(error),
    )
  }

  /** Bytes of what was said, also where a guard holds it; undefined at its end. */
  #told(): number | undefined {
    const told = this.#gate.told()
    return told === undefined ? undefined : Math.max(told, this.#guard?.told ?? 0)
  }

  /** A limit is used up: whatever the upstream still says would be paid for beyond it. */
  #endShort(ahead: StayingAhead, usedUp: string): void {
    this.#finish()
    this.#routed.response.abort()
    const conclude = (): LimitedRound => {
      const told = this.#told()
      const round = this.#conclude(false)
      return round.complete ? round : ahead.ended(round, told ?? 0, this.#gate.deliveredText, usedUp)
    }
    try {
      const ended = whenRead(this.#guard?.end(), conclude)
      if (ended instanceof Promise) ended.then(this.#resolve, (error: unknown) => this.#fail(error))
      else this.#resolve(ended)
    } catch (error) {
      this.#fail(error)
    }
  }

  onEnd(): void {
    try {
      this.#finish()
      this.#endUpstream()
      const ended = whenRead(this.#guard?.end(), () => this.#conclude(true))
      if (ended instanceof Promise) ended.then(this.#resolve, (error: unknown) => this.#fail(error))
      else this.#resolve(ended)
    } catch (error) {
      this.#fail(error)
    }
  }

  onError(error: Error): void {
    this.#finish()
    if (this.#call.origin.signal.aborted) {
      this.#reject(this.#call.origin.signal.reason)
      return
    }
    const failure = error instanceof TurnwardError ? error : cutOff(this.#call, this.#routed, error)
    const settle = (round: LimitedRound): void => {
      if (round.complete || this.#gate.error !== undefined) this.#resolve(round)
      else this.#reject(failure)
    }
    // What a guard refused is refused, however the rest of it ended.
    const refuse = (thrown: unknown): void => this.#reject(isOfGuard(thrown) ? thrown : failure)
    try {
      // Some proxies break a connection whose answer is whole: what counts is what was said, with nothing added to it.
      this.#framer?.end(this.#onEvent)
      const ended = whenRead(this.#guard?.end(), () => this.#conclude(false))
      if (ended instanceof Promise) ended.then(settle).catch(refuse)
      else settle(ended)
    } catch (thrown) {
      refuse(thrown)
    }
  }

  /** What was waiting for more of the upstream. */
  #endUpstream(): void {
    if (this.#framer === undefined) return
    this.#framer.end(this.#onEvent)
    const rest = this.#converter?.end() ?? ''
    if (rest !== '') this.#pass(Buffer.from(rest))
  }

  #conclude(isProper: boolean): LimitedRound {
    this.#rail?.end()
    return this.#gate.endRound(isProper)
  }

  #onEvent = ({ event, data, isTerminated }: SseEvent): void => {
    // Comments and stray lines mean nothing in the other dialect, nor does an event that was torn.
    if (data === undefined || data.trim() === '' || (!isTerminated && !isWhole(data))) return
    const text = this.#converter?.push({ event, data }) ?? ''
    if (text !== '') this.#pass(Buffer.from(text))
  }

  // The upstream has told of an error: whatever it still sends would be read, and paid for, in vain.
  #endEarly(): void {
    this.#finish()
    this.#routed.response.abort()
    this.#resolve(this.#gate.endRound(false))
  }

  // A paused upstream holds one of a few connections: a client that reads nothing must not hold it for ever.
  #pause(): void {
    this.#routed.response.pause()
    this.#stalled ??= setTimeout(this.#onStall, Math.min(longestStallMs, this.#routed.target.upstream.config.idle_timeout_ms))
  }

  #onStall = (): void => {
    this.#call.origin.outlet.destroy()
    this.#fail(new TurnwardError('request.cancelled', { why: 'the client stopped reading its answer', turn: this.#call.turn ?? undefined }))
  }

  #onDrain = (): void => {
    clearTimeout(this.#stalled)
    this.#stalled = undefined
    this.#goOn()
  }

  #fail(error: unknown): void {
    this.#finish()
    this.#routed.response.abort()
    this.#reject(error)
  }

  // What was said is kept until the message is over, so a message must come to an end.
  #tooLong(): TurnwardError {
    const subject = this.#routed.target.upstream.name
    return new TurnwardError('upstream.malformed', {
      subject,
      why: `its stream is longer than ${this.#maxBytes} bytes (\`limits.max_response_bytes\`)`,
      turn: this.#call.turn ?? undefined,
    })
  }

  #finish(): void {
    this.#isOver = true
    clearTimeout(this.#stalled)
    this.#call.origin.outlet.offDrain(this.#onDrain)
  }
}

function isOfGuard(thrown: unknown): boolean {
  return thrown instanceof TurnwardError && thrown.code.startsWith('guard.')
}

/** Whether the data of an event without its blank line is all there. */
function isWhole(data: string): boolean {
  if (data.trim() === '[DONE]') return true
  try {
    JSON.parse(data)
    return true
  } catch {
    return false
  }
}
