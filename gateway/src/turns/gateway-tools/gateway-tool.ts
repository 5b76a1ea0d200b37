/**
 * A tool of the gateway itself: offered to the models of conversations in which it is of use, decided and recorded like any tool,
 * and answered here. A folder or file each, and a line in `gateway-tools.ts`.
 */
import type { CancelSignal } from '../../core/cancellation.ts'
import type { JsonObject } from '../../core/json.ts'
import type { Label } from '../../policy/types.ts'
import type { OfferedTool } from '../../wire/dialect.ts'
import type { AttachedCall } from '../call.ts'

export interface GatewayTool {
  readonly definition: OfferedTool
  /** Whether nothing but what somebody knows comes of it. */
  readonly isReadOnly: boolean
  /** Whether a conversation has something it is for. */
  readonly isOfUse: (call: AttachedCall) => boolean
  /** Answers a call that was decided. What the answer adds to the label of the session is joined here. Never throws for what a model wrote. */
  readonly run: (call: AttachedCall, args: JsonObject, context: GatewayToolContext) => Promise<GatewayAnswer>
}

export interface GatewayToolContext {
  /** `dec_…` of the decision that allowed it. */
  readonly decision: string
  readonly signal: CancelSignal
  /** What the call was decided on besides the label of the session. */
  readonly besides?: Label | undefined
  /** Told how far it is, where somebody wants to know. */
  readonly onProgress?: ((progress: JsonObject) => void) | undefined
}

/** What the model reads. */
export interface GatewayAnswer {
  readonly text: string
  readonly isError: boolean
}
