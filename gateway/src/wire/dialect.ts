/**
 * A dialect lens: typed views over the original JSON of a model call, and the few edits governance needs.
 * Views point into the original object; there is no canonical copy. One lens a dialect.
 */
import type { UsageRecord } from '@turnward/contract/decision'
import type { JsonObject, JsonValue } from '../core/json.ts'
import type { StreamFraming } from './framing/stream-framing.ts'
import type { StreamLens } from './gate/stream-lens.ts'
import type { KeptAnswers } from './kept-answers.ts'
import type { KeptBatches } from './kept-batches.ts'
import type { KeptFiles, NamedFile } from './kept-files.ts'
import type { AddedMessages } from './request/added-messages.ts'
import type { MadeCall, MadeCallOf } from './request/made-call.ts'
import type { RequestText } from './request/request-texts.ts'
import type { ServedTools } from './served-tools.ts'

export type DialectName = 'chat-completions' | 'messages' | 'converse' | 'gemini' | 'responses'

export interface ToolDefinitionView {
  readonly name: string
  /** `client`: the client runs it. `vendor`: the model vendor runs it inside the call (web search, code execution). */
  readonly runs: 'client' | 'vendor'
}

/** A tool of the gateway's own, as MCP defines one. */
export interface OfferedTool {
  readonly name: string
  readonly description: string
  /** JSON Schema of its arguments. */
  readonly inputSchema: JsonObject
}

export interface ToolCallView {
  readonly id: string
  /** The id it has on the wire, where that is another. */
  readonly wireId?: string
  readonly name: string
  /** Parsed arguments; undefined when they are not a JSON object. */
  readonly args: JsonObject | undefined
  /** The arguments as sent (chat: JSON text; messages: canonical JSON of `input`). */
  readonly argsText: string
  /** Of a kind whose arguments cannot be written anew. */
  readonly isFixed?: true
}

export interface ToolResultView {
  readonly callId: string
  /** All text of the result, joined; images and documents appear as a digest of their data. */
  readonly text: string
  /** Undefined where the dialect cannot say. */
  readonly isError: boolean | undefined
  /** Tools the result refers to, which must then stay defined (messages: `tool_reference`). */
  readonly references?: readonly string[]
}

export interface MessageView {
  readonly index: number
  /** `tool` only in chat-completions; in messages tool results ride in a `user` message. */
  readonly role: 'system' | 'user' | 'assistant' | 'tool'
  /** Text parts joined with newlines. */
  readonly text: string
  readonly calls: readonly ToolCallView[]
  readonly results: readonly ToolResultView[]
  /** True when the message carries text or media of the user's own (not only tool results). */
  readonly fromUser: boolean
}

export interface RequestView {
  readonly model: string
  readonly stream: boolean
  readonly messages: readonly MessageView[]
  readonly tools: readonly ToolDefinitionView[]
  /** chat-completions: the client asked for the usage chunk. Always true for messages. */
  readonly wantsUsage: boolean
  /** chat-completions `n`. */
  readonly choices: number
}

/** What calls are made with instead of what the model wrote, by the id of the call. */
export type WrittenArguments = ReadonlyMap<string, JsonObject>

/** A call that stays in the gateway, and what the model is told of it. */
export interface SplicedCall {
  /** The call exactly as the model made it, in the client's dialect (chat: an entry of `tool_calls`; messages: a `tool_use` block). */
  readonly call: JsonObject
  readonly id: string
  readonly name: string
  /** "not run: <reason>; <remedies>", or the answer of the gateway. */
  readonly notice: string
  /** The gateway has answered it; absent when it was refused. */
  readonly isAnswer?: true
}

/**
 * What must be put back into the history so that the model sees a coherent conversation:
 * whole rounds that were answered inside the gateway, and calls dropped from a delivered message.
 */
export interface SpliceRecord {
  /** Rounds before the delivered message: assistant message as the model made it, and what its calls were answered with. In order. */
  readonly rounds: readonly SplicedRound[]
  /** Calls dropped from the delivered message; `position` is the index among all calls of the message. */
  readonly dropped: readonly (SplicedCall & { readonly position: number })[]
  /** Native content of the delivered message as the model made it, when rounds came before it (its text without the earlier rounds' text). */
  readonly delivered: JsonObject | undefined
}

export interface SplicedRound {
  /** Native assistant message with all its calls, none of which was released. */
  readonly assistant: JsonObject
  readonly calls: readonly SplicedCall[]
}

export interface ResponseView {
  readonly id: string
  readonly model: string
  readonly text: string
  readonly calls: readonly ToolCallView[]
  /** Ids of calls that the length limit cut off; they are not among `calls`. */
  readonly cutCalls: readonly string[]
  readonly finish: 'stop' | 'length' | 'tool_calls' | 'refusal' | 'other'
  readonly usage: UsageRecord | undefined
  /** Whether it shows that a tool of the vendor's has run. Only where the dialect `showsVendorRuns`. */
  readonly vendorRan?: boolean
}

/** Paths of the gateway that speak a dialect. */
export interface DialectPaths {
  /** A model call. A path with `{target...}` in it says more of the call: `readPath` reads it. */
  readonly call: string
  /** A count of the tokens a call would have, where the dialect knows one. */
  readonly count?: string
  /** More paths of the same. */
  readonly more?: readonly string[]
  /** The list of models, and below it each of them, where it is not at `/v1/models`. */
  readonly models?: string
}

/** What the path of a request says, in a dialect that says it there. */
export interface PathTarget {
  readonly operation: 'call' | 'count' | 'embeddings'
  /** The model, decoded. */
  readonly model: string
  readonly stream: boolean
  /** How the client wants its stream framed; undefined: as server-sent events. */
  readonly framing?: StreamFraming
}

export interface Dialect {
  readonly name: DialectName
  readonly paths: DialectPaths
  /** Everything under this path answers errors in this dialect's envelope; the longest one that fits counts. */
  readonly root?: string
  /** Clients of several dialects that call the same path name themselves by this header. */
  readonly namingHeader?: string
  /** The header and the field of a query in which its clients send their key. */
  readonly keyHeader?: string
  readonly keyInQuery?: string
  /** Whether an answer shows every run of a tool that the vendor runs itself. */
  readonly showsVendorRuns?: boolean
  /** The list that holds the conversation, at the top of a body. */
  readonly listField: string
  /** Where what follows may belong to the element before it: a beginning that is known is then read again with the rest. */
  readonly readsWhole?: boolean
  /**
   * Of a dialect whose requests name model and form in their path: what stands in place of `{target...}`, and the query
   * (without `?`). Its bodies have neither `model` nor `stream` on the wire; here both are put into the parsed body before
   * anybody reads it, and taken out of it where it is written. Throws `request.not_found` / `request.invalid`.
   */
  readonly readPath?: (target: string, query: string) => PathTarget
  /** Headers of the dialect (in lower case) that this form of it has in its bodies, as a field with a list of values. */
  readonly headersInBody?: Readonly<Record<string, string>>
  /** Of a dialect whose calls have no ids of their own: the ids that calls of one message have, in their order, once they are made with these arguments. */
  readonly idsOf?: (calls: readonly Pick<ToolCallView, 'name' | 'args'>[]) => readonly string[]
  /** Of a dialect whose clients go on from an answer by its id. */
  readonly kept?: KeptAnswers
  /** Of a dialect whose clients keep files at `/v1/files`. */
  readonly files?: KeptFiles
  /** Of a dialect whose clients make batches. */
  readonly batches?: KeptBatches
  /** Where a request names files in place of their content. Throws nothing: what is wrong there is found by whoever reads it. */
  readonly namedFiles?: (body: JsonObject) => readonly NamedFile[]
  /** Of a dialect whose clients name servers whose tools are to be run within the request. */
  readonly served?: ServedTools
  /** Fields of a request that are read, in the only spelling they are read in. */
  readonly guardedFields: ReadonlySet<string>
  /** Fields that nobody changes once they have been decided on. */
  readonly settledFields: SettledFields
  /** Of a dialect whose fields have several spellings: the one that a field is read in. */
  readonly spelling?: (field: string) => string
  /**
   * Views over a parsed request body. `known`: views of messages that stand before those of the body, left out of it because
   * they have been read before. Throws TurnwardError `request.invalid` / `request.unsupported` naming the field.
   */
  readRequest(body: JsonObject, known?: readonly MessageView[]): RequestView
  /** The most tokens that a request lets its answer have, over all its choices; undefined where it does not say. */
  mostOutput(body: JsonObject): number | undefined
  /** What an upstream's event (`type`: its `event` field) or whole answer reports as an error; undefined when it is none. */
  errorIn(payload: JsonObject, type: string): JsonValue | undefined
  /** Where the words of an event of a stream (`type`: its `event` field), or of a whole answer, stand that people are shown. Not what a model thinks: vendors sign that. */
  shownTexts(payload: JsonObject, type: string): readonly ShownText[]
  /** What it carries beside them: what the model thought, and what calls are made with. */
  carriedTexts(payload: JsonObject, type: string): readonly CarriedText[]
  /** Every text of a parsed request that a model would read, with its place. */
  requestTexts(body: JsonObject): readonly RequestText[]
  /** Views over a parsed non-streaming response. Throws `upstream.malformed`. */
  readResponse(body: JsonObject): ResponseView
  /** A lens for one streamed answer. `wantsUsage`: the client asked for the usage of its stream. */
  streamLens(wantsUsage: boolean): StreamLens
  /** Request edits: each mutates `body` in place and is only called when something must change. */
  readonly edit: {
    /** Removes tools by name; a forced choice of a removed tool becomes automatic; `tools` and `tool_choice` go when no tool is left. */
    removeTools(body: JsonObject, names: ReadonlySet<string>): void
    /** Puts tools at the end of the offer. A choice that was made stays. */
    addTools(body: JsonObject, tools: readonly OfferedTool[]): void
    /** Puts a text in the place of what a tool result says: the `position`th of the message with this index, counted as in its view. */
    replaceResult(body: JsonObject, messageIndex: number, position: number, text: string): void
    /** Writes what a call of the answer that begins at the message with this index is made with. A call that is not there is passed over. */
    writeArguments(body: JsonObject, messageIndex: number, callId: string, args: JsonObject): void
    /** Puts calls and rounds that stayed here back at the message with this index (of the current `messages`). Returns how many messages were inserted. */
    restore(body: JsonObject, messageIndex: number, record: SpliceRecord): number
    /** Puts words of the gateway behind the user or tool message with this index. Returns how many messages were inserted. */
    addNote(body: JsonObject, messageIndex: number, text: string): number
    /** Appends one round that stayed here to the end of the conversation (for calling the model again). */
    appendRound(body: JsonObject, round: SplicedRound): void
    /** Puts messages of the operator around the conversation, instructions where the dialect keeps them. What was read of the body before stays as it was. */
    addMessages(body: JsonObject, added: AddedMessages): void
    /** A call without arguments that no model has made, to be answered in a round. */
    makeCall(call: MadeCallOf): MadeCall
    /** Where a vendor takes no history with calls beside which no tool is defined: defines these, unless others are. None of them is on offer. */
    readonly defineCalls?: (body: JsonObject, names: readonly string[]) => void
  }
  /** Response edits (non-streaming). */
  readonly respond: {
    /** Brings an answer into the form the dialect documents. True when something had to change. Throws `upstream.malformed`. */
    normalise(response: JsonObject): boolean
    /** Native assistant message of a response, as the history would carry it. */
    assistantMessage(response: JsonObject): JsonObject
    /** A SplicedCall's native `call` for each call id. */
    nativeCall(response: JsonObject, callId: string): JsonObject | undefined
    /** Writes what calls are made with. What was read of them before stays as it was. */
    writeArguments(response: JsonObject, args: WrittenArguments): void
    /** Drops calls by id; when none is left the finish reason becomes the normal stop. Mutates. */
    dropCalls(response: JsonObject, ids: ReadonlySet<string>): void
    /** Prepends text of earlier rounds and adds their usage, so that one client call reads as one answer. Mutates. */
    mergeEarlier(response: JsonObject, earlier: { readonly text: string; readonly usage: readonly UsageRecord[] }): void
    /** Adds a closing explanation as text (used when splices are exhausted). Mutates. */
    appendText(response: JsonObject, text: string): void
  }
  /** The answer to a count of tokens, of a dialect that knows one. */
  readonly countAnswer?: (tokens: number) => JsonObject
  /** Models as this dialect lists them; without it, as chat-completions does. */
  readonly models?: {
    entry(name: string, description?: string): JsonObject
    list(names: readonly string[], describe?: (name: string) => string | undefined): JsonObject
  }
  /** The error envelope of this dialect. */
  errorBody(error: DialectError): JsonObject
  /** Headers that say of an error what its envelope does not. */
  errorHeaders?(error: DialectError): Readonly<Record<string, string>>
  /** What other vendors' answers have left in the history under our own marks, which no vendor of this dialect would take. */
  readonly marks?: {
    isIn(bytes: Buffer): boolean
    /** The body without them; it is not changed. */
    without(body: JsonObject): JsonObject
  }
  /** The bytes of an error inside a stream that has begun. */
  streamError(error: DialectError): string
}

/** Places of fields, their names joined by `/`; what stands below them is settled too. */
export interface SettledFields {
  /** Read before anything is decided: which model, what is said, what is on offer, what form the answer has. */
  readonly request: readonly string[]
  /** Of a whole answer: what is said and called, how it ended, what it used, and what it goes by. At the top. */
  readonly answer: readonly string[]
}

/** A place with words of an answer. */
export interface ShownText {
  /** Words of one text have one; they are put together in the order they come in. */
  readonly lane: string
  /** All of a text at once, though its words have come before. */
  readonly isWhole?: boolean
  /** The words stand in this field of it. */
  readonly holder: JsonObject
  readonly field: string
}

/** A place with what an answer carries beside its words. */
export interface CarriedText extends ShownText {
  /** `arguments`: a piece of JSON text, or the parsed object. */
  readonly kind: 'thought' | 'arguments'
}

export interface DialectError {
  readonly status: number
  /** Turnward error code. */
  readonly code: string
  readonly message: string
  readonly turn?: string | undefined
}

export type { JsonObject, JsonValue }
