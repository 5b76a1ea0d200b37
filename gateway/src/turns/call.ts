/** What is known of a call at each point of its pipeline. Later stages need more, and their types say so. */
import type { Snapshot } from '../config/snapshot.ts'
import type { JsonObject } from '../core/json.ts'
import type { Caller } from '../core/principal.ts'
import type { Label } from '../policy/types.ts'
import type { Session } from '../state/sessions.ts'
import type { CallSpan } from '../telemetry/telemetry.ts'
import type { RequestBody } from '../wire/request/request-body.ts'
import type { Dialect, RefusedCall, RequestView } from '../wire/dialect.ts'
import type { CatalogueTool } from '../tools/catalogue.ts'
import type { RoundsSoFar } from './answering/rounds-so-far.ts'
import type { CallOrigin } from './origins/call-origin.ts'
import type { Services } from './services.ts'
import type { ClientAdapter } from './sessions/clients/client-adapter.ts'
import type { HeldTicket } from './sessions/linking-session.ts'
import type { CallMeanings } from './naming/call-meaning.ts'

/** A call that has a session: enough to decide and to record, on either floor. */
export interface AttachedCall {
  readonly services: Services
  readonly snapshot: Snapshot
  readonly caller: Caller
  readonly session: Session
  /** Null for what belongs to no turn: side requests of a client, lists. */
  readonly turn: string | null
  readonly span: CallSpan
  /** `mc_…` of the model call, null for a tool call without one. */
  readonly modelCall: string | null
}

/** A model call after its request was read. `body` is edited in place by later stages. */
export interface ModelCall extends AttachedCall {
  readonly modelCall: string
  /** `dec_…`: the decision to make this call; its outcome carries the same id. */
  readonly decision: string
  /** The grant that allows the model. */
  readonly grant: string
  readonly origin: CallOrigin
  readonly dialect: Dialect
  readonly view: RequestView
  readonly body: RequestBody
  /** The client's bytes, until a stage edits `body`. */
  bytes: Buffer | undefined
  /** What the presented history implies by itself. A named session may have read more than it presents now. */
  presented: Label
  /** Where in its conversation the request stands. */
  readonly place: string | undefined
  /** The known client that made the request. */
  readonly client: ClientAdapter | undefined
  /** What kind of side request of its client it is, when it is one. */
  readonly side: string | undefined
  /** What the names of tools mean in this call. */
  readonly meanings: CallMeanings
  /** Calls of the answer that name another tool in their arguments: call id -> names of the tools they mean. */
  readonly through: Map<string, readonly string[]>
  /** Tools removed from what the model was offered. */
  hidden: readonly string[]
  /** Offered tools that cannot be called now: those that were removed, and those the history refers to. */
  withheld: readonly string[]
  /** The upstream rounds of this request so far. */
  readonly rounds: RoundsSoFar
  /** Upstream and credential of the last attempt. */
  attempt: { readonly upstream: string; readonly provider: string; readonly credential: string } | undefined
}

/** What became of the calls a model proposed. */
export interface ProposalRulings {
  readonly allowed: ReadonlySet<string>
  /** In the order the model made them; `position` counts among all calls of the message. */
  readonly refused: readonly (RefusedCall & { readonly position: number })[]
}

/** A tool call at the MCP endpoint with its session known. */
export interface ToolCall extends AttachedCall {
  readonly tool: CatalogueTool
  readonly args: JsonObject
  /** Where and why the arguments cannot be passed on as they are. */
  readonly unfit: string | undefined
  /** SHA-256 (hex) of the canonical arguments. */
  readonly argumentsDigest: string
  readonly gateway: string
  /** The ticket of the model call that proposed it, held by this call. */
  readonly held: HeldTicket | undefined
  /** Key under which the effects of this call are reserved. */
  readonly callKey: string
  /** What counts for the decision besides the session's own label: the connection, and conversations the call may come from. */
  readonly besides: Label
  /** `dec_…`: the decision on this call; its outcome carries the same id. */
  readonly decision: string
  /** Id of the credential the hop to the server uses. */
  readonly credential: string
}
