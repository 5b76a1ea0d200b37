/** What is kept under each namespace of the shared state. A table: one line a namespace; all of it plain JSON. */
import type { LabelRecord } from '@turnward/contract/decision'
import type { LimitUse } from './limits/limit-use.ts'
import type { ValueSource } from '../policy/evidence.ts'
import type { SessionState } from './sessions.ts'
import type { SharedUpstream } from './shared-upstreams.ts'

/** A session as stored: without what nothing has happened to, and with ranks by name, so that a changed list of trust ranks cannot shift what a label means. */
export type StoredSession = StoredFields & Partial<Omit<SessionState, keyof StoredFields>>

interface StoredFields extends Pick<SessionState, 'id' | 'principal' | 'source' | 'policyState' | 'usedAt'> {
  readonly ranks: readonly string[]
}

/** A place after an answer: the conversation goes on from here. */
export interface AnswerPlace {
  readonly session: string
  readonly label: LabelRecord
  /** Turn of the request that was answered; null when it belonged to none. */
  readonly turn: string | null
  /** Place of the request that was answered. */
  readonly answers: string
  /** Model call that gave the answer: with a call id it names one call exactly. */
  readonly modelCall: string
  /** Calls of the answer that name another tool in their arguments: call id -> names of the tools they mean. */
  readonly through?: Readonly<Record<string, readonly string[]>>
  /** Calls of the answer that its client got with what handles stand for in place: call id as the client sends it -> what the model made. */
  readonly contents?: Readonly<Record<string, CallContents>>
  /** Another answer stood at this place before, so that only what is exactly the same is known to be of one of them. */
  readonly contentsOfSeveral?: true
}

/** A call whose client got what handles stand for. */
export interface CallContents {
  /** The id the model's own call has. */
  readonly id: string
  /** The arguments as the model wrote them. */
  readonly args: Readonly<Record<string, unknown>>
  /** SHA-256 (hex) of the canonical arguments as the client got them. */
  readonly sent: string
}

/** Messages that say the same, with calls whose client got what handles stand for, newest last. */
export interface MessageContents {
  readonly messages: readonly {
    readonly calls: Readonly<Record<string, CallContents>>
    /** The label the message was made under, without the contents. */
    readonly label: LabelRecord
  }[]
}

/** The place of a request. `failed`: it got no answer, so the same request again is a second attempt and not a second conversation. */
export interface RequestPlace {
  readonly session: string
  readonly label: LabelRecord
  readonly turn: string | null
  readonly failed?: boolean
}

/** Ties a tool call at the MCP endpoint to the model call that proposed it. */
export interface Ticket {
  readonly session: string
  readonly turn: string | null
  readonly modelCall: string
  /** The model's id of the call. */
  readonly callId: string
  /** Key the effects of the call are reserved under. */
  readonly callKey: string
  /** Decision that released the call. */
  readonly decision: string
  readonly expires: number
  /** Where the values of its arguments come from, as far as that counts. */
  readonly values?: TicketValues
  /** Other sessions whose models have proposed the same call while it waited: without its id nobody can tell which of them makes it. */
  readonly alike?: readonly string[]
  /** A call is being decided with it until then (Unix milliseconds). */
  readonly heldUntil?: number
}

/** Values of arguments and links in them (keyed hashes, no contents): whose words each stands in, and their label. */
export type TicketValues = Readonly<Record<string, readonly (Pick<ValueSource, 'kind' | 'of'> & { readonly label: LabelRecord })[]>>

/** Values that results of a session had, with the label of each result: keyed hashes in one text, newest last. */
export interface RememberedValues {
  readonly results: readonly { readonly label: LabelRecord; readonly prints: string }[]
}

/** A value of a session that a person vouched for. */
export interface EndorsedValue {
  /** Keyed hash. */
  readonly print: string
  /** Id of the principal who did. */
  readonly by: string
  readonly expires: number
}

/** A released call that gave a task to an agent. */
export interface StartedTask {
  readonly session: string
  readonly turn: string | null
}

/** The conversations of one (principal, consumer, actor): which of them a tool call without a ticket may come from. */
export interface OwnerConversations {
  /** The session of its MCP connections. */
  readonly connection?: string
  /** Sessions with model calls, newest last, and when the last was made (Unix milliseconds). */
  readonly recent: readonly { readonly session: string; readonly at: number }[]
  /** Until then there may have been more conversations than are remembered (Unix milliseconds). */
  readonly crowdedUntil?: number
}

/** Keyed fingerprints of words that were said or returned under a restricted label. */
export interface WordsSegment {
  /** Where it stands in its ring; the newest has the highest. */
  readonly number: number
  readonly passages: readonly { readonly label: LabelRecord; readonly prints: string }[]
  /** Nothing is added to it any more: the next one has begun, or is about to. */
  readonly isClosed?: boolean
}

/** What the gateway told the model at a place of a conversation, and which tools it was about. */
export interface Note {
  readonly text: string
  readonly tools: readonly string[]
}

/** A process of the installation, as it announces itself. */
export interface InstanceRecord {
  /** Unique to one start of one process. */
  readonly instance: string
  readonly replica: string
  readonly worker: number
  /** Where others reach it; undefined when it takes part without being asked. */
  readonly address?: string | undefined
  /** Revision of the configuration that new requests run on. */
  readonly revision: string
  readonly version: string
  /** Chain of the decision log it writes. */
  readonly chain: string
  /** Requests it answers at the moment. */
  readonly running: number
  /** Unix milliseconds, by its own clock. */
  readonly started: number
  readonly at: number
}

/** Who holds something that only one process may have. */
export interface LeaseRecord {
  readonly instance: string
  /** Unique to one taking of it: the same process may have let go and taken it again. */
  readonly lease: string
  /** Grows when what is held changes. */
  readonly changes: number
}

/** An answer that its caller may ask for again, or go on from, by its id. */
export interface KeptResponse {
  /** The conversation and the answer. */
  readonly sealed: string
  /** Keyed hash of what is sealed. */
  readonly digest: string
  /** Model call that made it. */
  readonly modelCall: string
  /** Where it stands on the shelf of its caller, if it has moved there. */
  readonly segment?: number
  /** It is made in the background, and its end is not known yet. */
  readonly isOpen?: boolean
  /** Whoever makes it is about to end it: it is too late to cancel it. */
  readonly isEnding?: boolean
  /** It is told event by event as well: there is a `stream` under its key. */
  readonly isStreamed?: boolean
  /** Another answer came under the same id, so that nobody can say which is meant. */
  readonly isAmbiguous?: boolean
}

/** What is kept for one caller, in segments, oldest first. */
export interface Shelf {
  readonly segments: readonly ShelfSegment[]
  /** Keys of the answers in the last segment. */
  readonly last: readonly string[]
}

export interface ShelfSegment {
  readonly number: number
  /** Answers in it, and their size in bytes. */
  readonly count: number
  readonly bytes: number
  /** When the newest came (Unix milliseconds). */
  readonly at: number
}

/** The events of an answer that was made in the background, all but the last one, in segments. */
export interface KeptStream {
  /** For each segment the number of its first event. */
  readonly firsts: readonly number[]
  /** Events in all of them. */
  readonly count: number
  /**
   * `whole`: no more will come. `interrupted`: nor here, but its end may have been told under a higher number. `cut`: it became
   * too large, and nothing of it is kept.
   */
  readonly state: 'open' | 'whole' | 'interrupted' | 'cut'
}

/** An answer that is being made in the background. */
export interface RunningResponse {
  readonly key: string
  /** Unix milliseconds; whoever makes it says again and again that it still does. */
  readonly until: number
}

/** A person signed in at a browser. Times are Unix milliseconds. */
export interface StoredBrowserSession {
  /** Principal id. */
  readonly person: string
  /** The issuer that was asked; null for a local account. */
  readonly issuer: string | null
  readonly signedInAt: number
  readonly usedAt: number
  /** Roles when they signed in. */
  readonly roles: readonly string[]
}

/** What the client of a legacy MCP session has asked to be told. */
export interface McpWishes {
  /** Least severe log messages it wants. */
  readonly level?: string
  /** URIs of resources whose changes it wants to know. */
  readonly watched?: readonly string[]
}

/** A code, a refresh token, a session, a client, … of our authorization server. */
export interface StoredModel {
  readonly sealed: string
  /** Unix milliseconds. */
  readonly until: number
  /** The grant it came from. */
  readonly grant?: string
  /** When it was used (Unix seconds), of what may be used once. */
  readonly used?: number
}

/** A result that no model reads, sealed: what it is a result of, its words and its label. */
export interface WithheldResult {
  readonly sealed: string
}

/** Who may use a handle, and what has been learnt of what it stands for. */
export interface HandleUse {
  /** Sessions it was shown in, newest last. */
  readonly sessions: readonly string[]
  /** Questions (digest) -> answer as JSON; while it is being asked, until when whoever asks has it for himself (Unix milliseconds). */
  readonly answers: Readonly<Record<string, string | number>>
  /** Bits that all answers say at most. */
  readonly bits: number
  /** What stands beside the handle wherever it is shown; while that is being asked, until when (Unix milliseconds). */
  readonly beside?: string | number
}

export interface StateValues {
  readonly instance: InstanceRecord
  /** Names of the processes that announce themselves. */
  readonly directory: readonly string[]
  readonly lease: LeaseRecord
  readonly session: StoredSession
  readonly answer: AnswerPlace
  readonly request: RequestPlace
  /** What denial splicing took out of a message, as its dialect carries it. */
  readonly splice: object
  /** A line the gateway put into a conversation, by the place it stands after. */
  readonly note: Note
  /** What a retriever has found about a message, sealed, by the place of the message. */
  readonly context: { readonly sealed: string }
  readonly withheld: WithheldResult
  readonly handle: HandleUse
  readonly contents: MessageContents
  /** A task that released calls gave to agents, and who gave it; newest last. */
  readonly task: readonly StartedTask[]
  /** What a message or a result was told under, by what it says. */
  readonly label: LabelRecord
  /** What is counted for somebody, in one step whoever counts. */
  readonly count: number
  /** Tool calls of a turn or a session, and when the first was made (Unix milliseconds), where that is capped. */
  readonly capped: { readonly since: number; readonly calls: number }
  readonly ticket: readonly Ticket[]
  readonly owner: OwnerConversations
  readonly words: WordsSegment
  readonly values: RememberedValues
  readonly endorsed: readonly EndorsedValue[]
  readonly response: KeptResponse
  /** The key of the answer an item belongs to; empty when there are several. */
  readonly item: string
  readonly shelf: Shelf
  /** Keys of the answers in a segment of a shelf that is full. */
  readonly shelved: readonly string[]
  /** What runs in the background for one caller. */
  readonly background: readonly RunningResponse[]
  readonly stream: KeptStream
  /** The events of a segment of a stream, sealed. */
  readonly events: string
  readonly browser: StoredBrowserSession
  /** Keys of the browser sessions of one person, oldest first. */
  readonly browsers: readonly string[]
  /** When somebody tried to sign in and did not (Unix milliseconds), oldest first. */
  readonly attempts: readonly number[]
  /** How much of a limit is used, in one scope. */
  readonly limit: LimitUse
  /** How an upstream is, as each process finds it. */
  readonly upstream: SharedUpstream
  /** A legacy MCP session that its client has ended. */
  readonly ended: true
  /** What a legacy MCP session wants to be told. */
  readonly wishes: McpWishes
  /** Somebody on the way to an authorization server and back, sealed. */
  readonly linking: { readonly sealed: string }
  /** The era a started MCP server speaks. */
  readonly era: 'modern' | 'legacy'
  /** What our authorization server has given out, by a keyed hash of its id. */
  readonly oauth: StoredModel
}
