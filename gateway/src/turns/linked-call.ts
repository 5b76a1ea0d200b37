/** A call on the agent floor that is not a tool call: listing, watching. It has a session, and no turn of its own. */
import type { Session } from '../state/sessions.ts'
import type { CallSpan } from '../telemetry/telemetry.ts'
import type { McpContext } from '../tools/operations.ts'
import type { AttachedCall } from './call.ts'
import type { Services } from './services.ts'

const noSpan: CallSpan = { traceparent: undefined, tracestate: undefined, traceId: undefined, firstByte() {}, decision() {}, end() {} }

export function linkedCall(services: Services, context: McpContext, session: Session): AttachedCall {
  const { snapshot, caller } = context
  return { services, snapshot, caller, session, turn: session.state.turn, span: noSpan, modelCall: null }
}
