/**
 * What is known of a call at each point of its pipeline. A stage is one function of the call as it is known by then, and
 * gives back nothing, or the call with what it found out: later stages need more, and their types say so.
 */
import type { DecisionRecord } from '@turnward/contract/decision'
import type { RouteMessages, Snapshot } from '../config/snapshot.ts'
import type { TurnwardError } from '../core/error.ts'
import type { JsonObject } from '../core/json.ts'
import type { Caller } from '../core/principal.ts'
import type { Evidence } from '../policy/evidence.ts'
import type { Label, Verdict } from '../policy/types.ts'
import type { Session } from '../state/sessions.ts'
import type { Note, TicketValues } from '../state/state-values.ts'
import type { CallSpan } from '../telemetry/telemetry.ts'
import type { RequestBody } from '../wire/request/request-body.ts'
import type { Dialect, SplicedCall, RequestView } from '../wire/dialect.ts'
import type { CatalogueEntry } from '../tools/catalogue.ts'
import type { ServerRequest } from '../tools/operations.ts'
import type { RoundsSoFar } from './answering/rounds-so-far.ts'
import type { Keeping } from './keeping/recalling.ts'
import type { RuledCall } from './approvals/holding-calls.ts'
import type { AskedBefore } from './asked-again.ts'
import type { CacheOfCall } from './caching/cache-of-call.ts'
import type { ContextOfCall } from './context/context-of-call.ts'
import type { GuardsOfCall } from './guards/guards-of-call.ts'
import type { CallLimits } from './limiting/call-limits.ts'
import type { CallOrigin } from './origins/call-origin.ts'
import type { HandledArguments } from './quarantine/handles-in-arguments.ts'
import type { Neutralised } from './rails/text-rail.ts'
import type { ReadRequest } from './reading-request.ts'
import type { Services } from './services.ts'
import type { ClientAdapter } from './sessions/clients/client-adapter.ts'
import type { HistoryEntry } from './sessions/history.ts'
import type { HeldTicket } from './sessions/tickets.ts'
import type { TransformsOfCall } from './transforms/transforms-of-call.ts'
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
  /** Its answer is kept, with this. */
  readonly keeping: Keeping | undefined
  readonly view: RequestView
  readonly body: RequestBody
  /** The client's bytes, until a stage edits `body`. */
  bytes: Buffer | undefined
  /** What the presented history implies by itself. A named session may have read more than it presents now. */
  presented: Label
  /** What the request brings that its session has not read yet: it counts when the request is sent (`narrowing-when-sent.ts`). */
  pending: readonly PendingRead[]
  /** What the vendor's own tools read if they run. */
  ifRun: readonly PendingRead[]
  /** Settles when what they have read counts. */
  narrowing: Promise<void>
  readonly history: readonly HistoryEntry[]
  /** Index of the first history entry whose meaning is not in `presented` yet, when the call begins. */
  readonly firstNew: number
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
  /** Notes of the gateway that stand in the history again. */
  told: readonly Note[]
  /** Tools removed from what the model was offered. */
  hidden: readonly string[]
  /** Offered tools that cannot be called now: those that were removed, and those the history refers to. */
  withheld: readonly string[]
  /** The upstream rounds of this request so far. */
  readonly rounds: RoundsSoFar
  /** What it may use, while it may. */
  limits: CallLimits | undefined
  /** The pattern its route was declared under. */
  readonly route: string
  /** What its caller has put into templates. */
  readonly templated: ReadRequest['templated']
  /** What its route changes of its fields and of those of its answer. */
  transforms: TransformsOfCall | undefined
  /** What its route has put around it, and how many bytes it had before. */
  added: { readonly messages: RouteMessages; readonly before: number | undefined } | undefined
  /** What retrievers have found about what its person said. */
  context: ContextOfCall | undefined
  /** What looks at it, and what that has found. */
  guards: GuardsOfCall | undefined
  /** Whether it is answered with what was kept, where its route keeps answers. */
  cache: CacheOfCall | undefined
  /** What was neutralised in the answer so far. */
  readonly neutralised: Neutralised
  /** Upstream and credential of the last attempt. */
  attempt: { readonly upstream: string; readonly provider: string; readonly credential: string } | undefined
}

/** What is needed to decide on calls that a model proposes. */
export type ProposingCall = AttachedCall &
  Pick<ModelCall, 'modelCall' | 'meanings' | 'client' | 'through' | 'attempt'> & {
    readonly origin?: Pick<CallOrigin, 'signal'>
    /** The conversation so far, where it comes with the request: what values of proposed calls are looked for in. */
    readonly view?: Pick<RequestView, 'messages'>
    readonly history?: readonly HistoryEntry[]
    readonly templated?: ReadRequest['templated']
    /** What its route has put around that. */
    readonly added?: Pick<NonNullable<ModelCall['added']>, 'messages'> | undefined
    readonly context?: ContextOfCall | undefined
  }

/** What is needed to admit what a conversation brings with it. */
export type ReadingCall = AttachedCall & Pick<ModelCall, 'meanings' | 'client' | 'view' | 'presented' | 'pending'>

/** Something that is read when the request is. */
export interface PendingRead {
  readonly subject: string
  readonly label: Label
  /** SHA-256 (hex) of what is read, where it is known. */
  readonly digest: string | null
}

/** What became of the calls a model proposed. */
export interface ProposalRulings {
  /** Those that are released: whoever runs the tool may have them. */
  readonly allowed: ReadonlySet<string>
  /** Those that stay here, refused or answered, in the order the model made them; `position` counts among all calls of the message. */
  readonly stayed: readonly (SplicedCall & { readonly position: number })[]
  /** Released calls whose client gets what handles stand for, by the id of the call. */
  readonly written: ReadonlyMap<string, ContentsOfCall>
}

/** What handles in the arguments of a released call stand for, in their places. */
export interface ContentsOfCall {
  /** The arguments as whoever runs the tool gets them. */
  readonly args: JsonObject
  /** As the model wrote them. */
  readonly made: JsonObject
  /** What the contents would add to the label of a session. */
  readonly label: Label
}

/** Where a tool call comes from. */
export interface Proposal {
  /** The model's id of the call. */
  readonly callId: string
  readonly callKey: string
  readonly modelCall: string
  /** Where the values of its arguments come from. */
  readonly values?: TicketValues
}

/** A tool call at the MCP endpoint, or a read of something else of a server, with its session known. */
export interface ToolCall extends AttachedCall {
  readonly tool: CatalogueEntry
  readonly request: ServerRequest
  /** When it came, by the monotonic clock. */
  readonly started: number
  /** SHA-256 (hex) of the canonical arguments. */
  readonly argumentsDigest: string
  readonly gateway: string
  /** The ticket of the model call that proposed it, held by this call. */
  readonly held: HeldTicket | undefined
  /** The governed model call that proposed it, also where the ticket was used when the call was made first. */
  readonly proposal: Proposal | undefined
  /** What it was before, where it has asked for input and comes back with it. */
  readonly askedBefore: AskedBefore | undefined
  /** Key under which the effects of this call are reserved. */
  readonly callKey: string
  /** What handles in its arguments stand for. */
  readonly handled?: HandledArguments | undefined
  /** Why its turn or session may make no more of it. */
  readonly capped?: Verdict | undefined
  /** What counts for the decision besides the session's own label: the connection, and conversations the call may come from. */
  readonly besides: Label
  /** `dec_…`: the decision on this call; its outcome carries the same id. */
  readonly decision: string
  /** Id of the credential the hop to the server uses. */
  readonly credential: string
  /** What the record calls it, where it is not what was asked. */
  readonly recordedAs?: 'task_update' | 'task_cancel'
}

/** A tool call after its decision. */
export interface DecidedToolCall extends ToolCall {
  readonly verdict: Verdict
  /** The label the call was decided on. */
  readonly decidedOn: Label
  /** What the draft beside the policy would have done, where that is something else. */
  readonly shadow?: DecisionRecord['shadow']
  /** What it was decided on besides. */
  readonly evidence?: Evidence
  /** The approval it runs on, was denied with, or waits for. */
  readonly approval?: RuledCall['approval']
  readonly claim?: RuledCall['claim']
  readonly waiting?: RuledCall['waiting']
  /** What it may use, while it may. */
  readonly limits?: CallLimits | undefined
}

/** How a tool ended. Every ending is a value here, because whatever happened must still be admitted and recorded. */
export interface Execution {
  /** `task`: it goes on, and ends later. */
  readonly outcome: 'ok' | 'tool_error' | 'error' | 'cancelled' | 'timeout' | 'asked' | 'task'
  /** Empty when it failed. */
  readonly result: JsonObject
  /** In words of ours; a server's own error is a result. */
  readonly failure?: TurnwardError
}

/** A tool call that ran, well or not. */
export interface ExecutedToolCall extends DecidedToolCall {
  readonly execution: Execution
  /** The label before anything of it was told; absent where nothing is told meanwhile. */
  readonly before?: Label
}

/** A tool call that is over, also one that was refused. */
export interface EndedToolCall extends DecidedToolCall {
  readonly end: {
    readonly outcome: Execution['outcome'] | 'refused'
    /** Absent when there is none to put on record. */
    readonly result?: JsonObject
    readonly failure?: TurnwardError
  }
  /** The label the result was admitted into, when there was one. */
  readonly before: Label | undefined
  /** What the client gets. */
  readonly result: JsonObject
}

/** A token count with its session and grant known. */
export interface TokenCount extends AttachedCall {
  readonly turn: string
  readonly modelCall: string
  /** `dec_…`, of the decision and of its outcome. */
  readonly decision: string
  readonly grant: string
  readonly model: string
  readonly origin: CallOrigin
  readonly dialect: Dialect
  /** As its model would read it. */
  read: ReadRequest
  /** What it may use, while it may. */
  limits?: CallLimits | undefined
  /** What looks at it, and what that has found. */
  guards?: GuardsOfCall | undefined
  /** Upstream and credential it was sent to; undefined while nothing was sent. */
  sentTo: { readonly upstream: string; readonly credential: string } | undefined
}
