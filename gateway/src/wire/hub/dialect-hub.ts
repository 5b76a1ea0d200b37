/** What a dialect brings so that it can be converted from and to every other: one object, in its folder. */
import type { JsonObject } from '../../core/json.ts'
import type { HubAnswer } from './answer.ts'
import type { HubRequest } from './conversation.ts'
import type { HubEvent, StreamReader, StreamWriter } from './events.ts'

export interface RequestOptions {
  /** `max_tokens` for a request without one, where the dialect requires it. */
  readonly defaultMaxTokens?: number | undefined
  /** Tag of the upstream the request goes to: what another upstream hung on the history stays out of it. */
  readonly upstream?: string | undefined
  /** Told the fields of the caller's request that the other dialect has no form for, and that were left out. */
  readonly onLeftOut?: ((fields: readonly string[]) => void) | undefined
}

export interface AnswerOptions {
  /** Tag of the upstream that answers. */
  readonly upstream?: string | undefined
  /** The model that was asked, for an upstream whose answers do not name it. */
  readonly model?: string | undefined
  /** Time of the answer in Unix seconds, for a dialect that tells it; default: now. */
  readonly created?: number | undefined
}

export interface StreamOptions extends AnswerOptions {
  /** chat-completions: the client asked for the usage chunk. Default: yes. */
  readonly includeUsage?: boolean | undefined
}

/** To the neutral form (`read…`) and from it (`write…`). Nothing here changes what it is given, answers of an upstream excepted. */
export interface DialectHub {
  /** Throws `request.invalid` / `request.unsupported` naming the field. */
  readRequest(body: JsonObject): HubRequest
  /** `model` is the upstream's own name: it decides between spellings of a few fields. Throws like `readRequest`. */
  writeRequest(request: HubRequest, options: RequestOptions): JsonObject
  /** Throws `upstream.malformed`. */
  readAnswer(body: JsonObject, options: AnswerOptions): HubAnswer
  writeAnswer(answer: HubAnswer, options: AnswerOptions): JsonObject
  readStream(emit: (event: HubEvent) => void, options: AnswerOptions): StreamReader
  writeStream(options: StreamOptions): StreamWriter
}
