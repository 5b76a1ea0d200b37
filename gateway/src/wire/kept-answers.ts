/** What a dialect knows of answers that are kept, because its clients ask for them again, and go on from them, by their ids. */
import type { JsonObject, JsonValue } from '../core/json.ts'

/** What a request has to do with answers that are kept. */
export interface KeptAsk {
  /** Id of the answer it goes on from. */
  readonly previous: string | undefined
  /** Id of the conversation it goes on with, and its answer becomes a part of. */
  readonly conversation: string | undefined
  /** Ids of items that it only names. */
  readonly items: readonly string[]
  /** Whether its answer is to be kept. */
  readonly keeps: boolean
  /** Whether it is to be answered later: its client asks again. */
  readonly later: boolean
}

/** An answer as it is kept: what its client was sent, and the conversation it answers as its client would send it. */
export interface KeptAnswer {
  readonly response: JsonObject
  readonly input: readonly JsonValue[]
  readonly previous: string | null
}

/** How an answer came to an end without being one. */
export type KeptEnding = { readonly status: 'cancelled' } | { readonly status: 'failed'; readonly code: string; readonly message: string }

export interface KeptAnswers {
  /** Reads a body that nothing else has looked at yet. Throws `request.invalid` / `request.unsupported` naming the field. */
  ask(body: JsonObject): KeptAsk
  /** Puts what the request goes on from before its conversation, and items in the place of their names. Changes the body. Returns how many items were put before. */
  complete(body: JsonObject, from: KeptAnswer | undefined, items: ReadonlyMap<string, JsonObject>): number
  /** The conversation of a request, as a list. */
  conversation(body: JsonObject): readonly JsonValue[]
  /** The items of an answer by their ids. */
  items(response: JsonObject): ReadonlyMap<string, JsonObject>
  /** What a vendor of the dialect is asked with, so that it keeps nothing and tells all that is needed to go on. */
  unkept(fields: JsonObject, model: string): JsonObject
  /** The answer to a request that is answered later. `created`: Unix seconds. */
  begun(id: string, body: JsonObject, created: number): JsonObject
  /** Takes out of a body what asks for an answer later. Changes the body. */
  wait(body: JsonObject): void
  /** What becomes of an answer that was begun and has no other end. */
  ended(response: JsonObject, ending: KeptEnding): JsonObject
  /** The answer under names of the gateway's. */
  named(response: JsonObject, names: KeptNames): JsonObject
  /** Whether an answer was asked for in the background. */
  isInBackground(response: JsonObject): boolean
  /** Whether a conversation can go on from it. */
  isWhole(response: JsonObject): boolean
  /** What is answered to whoever asks for it. */
  shown(kept: KeptAnswer): JsonObject
  /** A page of the conversation it answers. Throws `request.invalid` naming the parameter. */
  page(kept: KeptAnswer, query: URLSearchParams): JsonObject
  /** What is answered to whoever deletes it. */
  deleted(id: string): JsonObject
  readonly conversations: KeptConversations
  readonly streams: KeptStreams
}

/**
 * How an answer that is made in the background is told event by event. What it says of itself as a whole is told at the
 * beginning and at the end, and both are what whoever asks for it is shown.
 */
export interface KeptStreams {
  /** Number of the event after which its stream is asked for, -1 for all of it; undefined when it is asked for whole. Throws `request.invalid` naming the parameter. */
  ask(query: URLSearchParams): number | undefined
  /** How it begins: it has been taken, and is being made. `response`: what is kept of it until it is made. */
  begun(response: JsonObject): readonly JsonObject[]
  /** Whether an event of its making is told by `begun` and `ended`, in words of their own. */
  isOfWhole(type: string): boolean
  /** How it ends, whatever its end is. */
  ended(response: JsonObject): JsonObject
  /** An event under its number, as it is sent. */
  text(event: JsonObject, number: number): string
}

/** What an answer is called here, besides by its upstream. */
export interface KeptNames {
  /** Its own name, where it was begun in the background. */
  readonly id?: string | undefined
  /** The conversation it is a part of. */
  readonly conversation?: string | undefined
}

/** Conversations that are kept by themselves. One is kept as an answer is: `response` is what it says of itself, `input` its items. */
export interface KeptConversations {
  /** Where clients ask for them. */
  readonly path: string
  /** A conversation as a request begins it. `created`: Unix seconds. Throws `request.*` naming the field. */
  begun(id: string, body: JsonObject, created: number): KeptAnswer
  /** It, with what a request says of it. Throws `request.*` naming the field. */
  changed(kept: KeptAnswer, body: JsonObject): KeptAnswer
  /** The items a request adds. Throws `request.*` naming the field. */
  items(body: JsonObject): readonly JsonValue[]
  /** It, with more items at its end. */
  added(kept: KeptAnswer, items: readonly JsonValue[]): KeptAnswer
  /** It, without an item; undefined when it has none of this id. */
  without(kept: KeptAnswer, id: string): KeptAnswer | undefined
  item(kept: KeptAnswer, id: string): JsonObject | undefined
  /** A page of its items. Throws `request.invalid` naming the parameter. */
  page(kept: KeptAnswer, query: URLSearchParams): JsonObject
  /** The items that were added last, as a page. */
  newest(kept: KeptAnswer, count: number): JsonObject
  shown(kept: KeptAnswer): JsonObject
  deleted(id: string): JsonObject
}
