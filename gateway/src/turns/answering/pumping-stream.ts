/** Moves one upstream event stream through the gate, with back-pressure from the client and conversion between dialects. */
import { TurnwardError } from '../../core/error.ts'
import type { RoutedResponse } from '../../models/asking-upstream.ts'
import type { BodySink } from '../../providers/transport.ts'
import { converterFor } from '../../wire/converting/converting.ts'
import type { StreamConverter } from '../../wire/converting/hub-stream.ts'
import { SseFramer, type SseEvent } from '../../wire/framing/sse.ts'
import type { StreamGate } from '../../wire/gate/stream-gate.ts'
import type { GateRound } from '../../wire/gate/stream-lens.ts'
import { cutOff } from './failed-answer.ts'
import type { ModelCall } from '../call.ts'
import { narrowWhenRun } from '../deciding/narrowing-when-sent.ts'

/** Resolves when the upstream has ended its stream; a cut-off stream resolves with `complete: false`. Rejects on malformed bytes. */
export function pumpStream(call: ModelCall, routed: RoutedResponse, gate: StreamGate): Promise<GateRound> {
  return new Promise((resolve, reject) => new StreamPump(call, routed, gate, resolve, reject).start())
}

/** How long a client may leave its answer unread, in milliseconds; shorter when the upstream's own patience is. */
const longestStallMs = 60_000

class StreamPump implements BodySink {
  readonly #call: ModelCall
  readonly #routed: RoutedResponse
  readonly #gate: StreamGate
  readonly #resolve: (round: GateRound) => void
  readonly #reject: (error: unknown) => void
  readonly #framer: SseFramer | undefined
  readonly #converter: StreamConverter | undefined
  readonly #maxBytes: number
  #received = 0
  #stalled: NodeJS.Timeout | undefined
  #isNarrowing = false

  constructor(
    call: ModelCall,
    routed: RoutedResponse,
    gate: StreamGate,
    resolve: (round: GateRound) => void,
    reject: (error: unknown) => void,
  ) {
    this.#call = call
    this.#routed = routed
    this.#gate = gate
    this.#resolve = resolve
    this.#reject = reject
    this.#maxBytes = call.snapshot.settings.limits.max_response_bytes
    const { upstream, model = call.view.model } = routed.target
    this.#converter = converterFor(call.dialect.name, routed.dialect)?.stream({ upstream: upstream.name, model })
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
      if (this.#framer === undefined) this.#gate.push(chunk)
      else this.#framer.push(chunk, this.#onEvent)
    } catch (error) {
      this.#fail(error)
      return
    }
    if (this.#call.ifRun.length > 0 && this.#gate.vendorRan) this.#narrow()
    if (this.#gate.error !== undefined) this.#endEarly()
    else if (this.#call.origin.outlet.isFull) this.#pause()
  }

  // What a tool of the vendor's has read counts before more of it goes out.
  #narrow(): void {
    const { response } = this.#routed
    response.pause()
    this.#isNarrowing = true
    narrowWhenRun(this.#call).then(
      () => {
        this.#isNarrowing = false
        if (!this.#call.origin.outlet.isFull) response.resume()
      },
      (error: unknown) => this.#fail(error),
    )
  }

  onEnd(): void {
    try {
      this.#finish()
      this.#resolve(this.#conclude())
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
    try {
      // Some proxies break a connection whose answer is whole: what counts is what was said, with nothing added to it.
      this.#framer?.end(this.#onEvent)
      const round = this.#gate.endRound(false)
      if (round.complete || this.#gate.error !== undefined) this.#resolve(round)
      else this.#reject(failure)
    } catch {
      this.#reject(failure)
    }
  }

  #conclude(): GateRound {
    if (this.#framer !== undefined) {
      this.#framer.end(this.#onEvent)
      const rest = this.#converter?.end() ?? ''
      if (rest !== '') this.#gate.push(Buffer.from(rest))
    }
    return this.#gate.endRound(true)
  }

  #onEvent = ({ event, data, isTerminated }: SseEvent): void => {
    // Comments and stray lines mean nothing in the other dialect, nor does an event that was torn.
    if (data === undefined || data.trim() === '' || (!isTerminated && !isWhole(data))) return
    const text = this.#converter?.push({ event, data }) ?? ''
    if (text !== '') this.#gate.push(Buffer.from(text))
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
    if (!this.#isNarrowing) this.#routed.response.resume()
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
    clearTimeout(this.#stalled)
    this.#call.origin.outlet.offDrain(this.#onDrain)
  }
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
