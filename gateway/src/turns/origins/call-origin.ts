/**
 * Where a call comes from and where its answer goes. A pipeline knows no more of its client than this, so the gateway can
 * make a model call of its own: an HTTP request is one origin, memory another.
 */
import type { IncomingHttpHeaders, OutgoingHttpHeaders } from 'node:http'
import type { CancelSignal } from '../../core/cancellation.ts'
import type { TurnwardError } from '../../core/error.ts'
import type { Caller } from '../../core/principal.ts'
import type { Hop } from '../../identity/ways/way.ts'
import type { PathTarget } from '../../wire/dialect.ts'
import type { Keeping } from '../keeping/recalling.ts'
import type { Templated } from '../prompts/calling-templates.ts'
import type { BodyLimits } from '../../wire/request/request-bytes.ts'

/** Takes one answer: a head, then bytes, then an end. */
export interface Outlet {
  /** The head has gone out: from now on a failure can only be told inside the answer. */
  readonly hasBegun: boolean
  /** Not ended, and somebody is there to read. */
  readonly isOpen: boolean
  /** More has been written than was read: whoever writes shall wait for `onDrain`. */
  readonly isFull: boolean
  /** Once, before anything else. */
  head(status: number, headers: OutgoingHttpHeaders): void
  write(bytes: Uint8Array | string): void
  /** The answer is whole. Nothing follows. */
  end(bytes?: Uint8Array | string): void
  /** Calls `listener` each time it is no longer full, until `offDrain`. */
  onDrain(listener: () => void): void
  offDrain(listener: () => void): void
  /** Ends it for good, without a proper end. */
  destroy(): void
}

export interface CallOrigin {
  /** As an HTTP client sends them: what they say is checked, never believed. */
  readonly headers: IncomingHttpHeaders
  /** Where its connection comes from, where there is one. */
  readonly hop?: Hop | undefined
  readonly method?: string | undefined
  readonly url?: string | undefined
  /** Who calls, where the gateway itself knows it; otherwise the headers must say so. */
  readonly caller?: Caller
  /** What allows the model that is asked, where the configuration itself has chosen it: `quarantine`. */
  readonly granted?: string | undefined
  /** What the path of the request says, in a dialect that says something there. */
  readonly path?: PathTarget | undefined
  /** Id under which its answer is kept, where its client was told it before the answer was made. */
  readonly background?: string | undefined
  /** What the answer is kept with, where the request is no longer what its client sent. */
  readonly keeping?: Keeping | undefined
  /** What became of the templates it calls, where they have been filled in. */
  readonly templated?: Templated | undefined
  /** A model call that runs waits for it: of what runs at once, the two count as one. */
  readonly isWithin?: boolean | undefined
  /** The bytes of the request. Throws `request.*`. */
  body(limits: BodyLimits): Promise<Buffer>
  /** Aborted when nobody waits for the answer any more. */
  readonly signal: CancelSignal
  /** Ends the call for a reason that its client is told. */
  cancel(reason: TurnwardError): void
  readonly outlet: Outlet
}

/** W3C trace context of the caller, as far as it is one header each. */
export function traceHeaders({ headers }: Pick<CallOrigin, 'headers'>): {
  traceparent: string | undefined
  tracestate: string | undefined
} {
  const { traceparent, tracestate } = headers
  return {
    traceparent: typeof traceparent === 'string' ? traceparent : undefined,
    tracestate: typeof tracestate === 'string' ? tracestate : undefined,
  }
}
