/** A call that the gateway makes for itself: the answer is kept in memory, whole, for whoever made it. */
import type { IncomingHttpHeaders, OutgoingHttpHeaders } from 'node:http'
import { Cancellation, type CancelSignal, following } from '../../core/cancellation.ts'
import { TurnwardError } from '../../core/error.ts'
import type { JsonObject } from '../../core/json.ts'
import type { Caller } from '../../core/principal.ts'
import type { Keeping } from '../keeping/recalling.ts'
import type { CallOrigin, Outlet } from './call-origin.ts'

/** An answer of the gateway to itself. */
export interface MemoryAnswer {
  readonly status: number
  readonly headers: OutgoingHttpHeaders
  readonly body: Buffer
}

export interface MemoryCall {
  readonly origin: CallOrigin
  /** Resolves when the answer is whole. Rejects with `request.cancelled` when it will never be. */
  readonly answer: Promise<MemoryAnswer>
}

/** A call that the gateway makes for itself. */
export interface OwnCall {
  /** For whom it is made: grants, labels and credentials are those of this caller. */
  readonly caller: Caller
  readonly body: JsonObject
  /** What allows its model, where that is no grant of the caller. */
  readonly granted?: string
  /** Names the session, for one. */
  readonly headers?: IncomingHttpHeaders
  /** The id its answer is kept under, and with what. */
  readonly background?: string
  readonly keeping?: Keeping | undefined
  readonly templated?: CallOrigin['templated']
  readonly isWithin?: boolean
  readonly signal?: CancelSignal
}

export interface MemoryCallOptions extends OwnCall {
  /** Largest answer, in bytes; one that is longer is cancelled. */
  readonly maxBytes: number
}

/** The origin of a call of the gateway's own. Hand it to a pipeline and await the answer. */
export function memoryCall({ maxBytes, ...call }: MemoryCallOptions): MemoryCall {
  const { origin, outlet } = ownCall(call, (cancel) => new MemoryOutlet(maxBytes, cancel))
  return { origin, answer: outlet.answer }
}

/** The same, with the answer going to another outlet, which may cancel the call. */
export function ownCall<O extends Outlet>(
  { caller, body, granted, headers = {}, background, keeping, templated, isWithin, signal }: OwnCall,
  makeOutlet: (cancel: (error: TurnwardError) => void) => O,
): { readonly origin: CallOrigin; readonly outlet: O } {
  const cancellation = signal === undefined ? new Cancellation() : following(signal).own
  const outlet = makeOutlet((error) => cancellation.cancel(error))
  const origin: CallOrigin = {
    headers,
    caller,
    granted,
    background,
    templated,
    keeping,
    isWithin,
    body: async () => Buffer.from(JSON.stringify(body)),
    signal: cancellation,
    cancel: (reason) => cancellation.cancel(reason),
    outlet,
  }
  return { origin, outlet }
}

class MemoryOutlet implements Outlet {
  readonly answer: Promise<MemoryAnswer>
  readonly #maxBytes: number
  readonly #cancel: (error: TurnwardError) => void
  readonly #chunks: Buffer[] = []
  #size = 0
  #head: Pick<MemoryAnswer, 'status' | 'headers'> | undefined
  #isOpen = true
  #resolve: (answer: MemoryAnswer) => void = () => {}
  #reject: (error: TurnwardError) => void = () => {}

  constructor(maxBytes: number, cancel: (error: TurnwardError) => void) {
    this.#maxBytes = maxBytes
    this.#cancel = cancel
    this.answer = new Promise((resolve, reject) => {
      this.#resolve = resolve
      this.#reject = reject
    })
  }

  get hasBegun(): boolean {
    return this.#head !== undefined
  }

  get isOpen(): boolean {
    return this.#isOpen
  }

  /** Memory is read at once. */
  get isFull(): boolean {
    return false
  }

  head(status: number, headers: OutgoingHttpHeaders): void {
    this.#head = { status, headers }
  }

  write(bytes: Uint8Array | string): void {
    if (!this.#isOpen) return
    const chunk = Buffer.from(bytes as Uint8Array)
    this.#size += chunk.length
    if (this.#size <= this.#maxBytes) this.#chunks.push(chunk)
    else this.#fail(new TurnwardError('request.cancelled', { why: `the answer is larger than ${this.#maxBytes} bytes` }))
  }

  end(bytes?: Uint8Array | string): void {
    if (bytes !== undefined) this.write(bytes)
    if (!this.#isOpen) return
    this.#isOpen = false
    this.#resolve({ status: this.#head?.status ?? 200, headers: this.#head?.headers ?? {}, body: Buffer.concat(this.#chunks) })
  }

  onDrain(): void {}

  offDrain(): void {}

  destroy(): void {
    if (this.#isOpen) this.#fail(new TurnwardError('request.cancelled'))
  }

  #fail(error: TurnwardError): void {
    this.#isOpen = false
    this.#chunks.length = 0
    this.#cancel(error)
    this.#reject(error)
  }
}
