/** How likely each token of an answer was, and what else could have stood there. Both dialects of OpenAI write it alike. */
import { isObject, type JsonObject, type JsonValue } from '../../core/json.ts'

interface Token {
  readonly token: string
  readonly logprob: number
  /** Undefined where the vendor does not tell. */
  readonly bytes: JsonValue | undefined
}

export interface TokenLogprob extends Token {
  /** The likeliest tokens of this place, best first; empty when nobody asked for them. */
  readonly top: readonly Token[]
}

/** What a request asks to be told of the tokens of its answer. */
export interface HubLogprobs {
  /** How many of the likeliest tokens of each place. */
  readonly top: number
  /** The field it was asked for in. */
  readonly at: string
}

function entriesOf(value: JsonValue | undefined): readonly JsonObject[] {
  return Array.isArray(value) ? value.filter(isObject) : []
}

/** In OpenAI's form; what is not of it says nothing. */
export function readLogprobs(value: JsonValue | undefined): readonly TokenLogprob[] {
  return entriesOf(value).flatMap((entry) => {
    const top = entriesOf(entry.top_logprobs).flatMap(readToken)
    return readToken(entry).map((token) => ({ ...token, top }))
  })
}

function readToken({ token, logprob, bytes }: JsonObject): Token[] {
  return typeof token === 'string' && typeof logprob === 'number' ? [{ token, logprob, bytes: bytes ?? undefined }] : []
}

/** `unknown`: what stands for bytes that nobody told; undefined: bytes are not told here. */
export function writeLogprobs(logprobs: readonly TokenLogprob[], unknown: JsonValue | undefined): JsonObject[] {
  const write = ({ token, logprob, bytes }: Token): JsonObject => ({
    token,
    logprob,
    ...(unknown === undefined ? {} : { bytes: bytes ?? unknown }),
  })
  return logprobs.map((entry) => ({ ...write(entry), top_logprobs: entry.top.map(write) }))
}

/** A field that is there only when there is something in it. */
export function withLogprobs(logprobs: readonly TokenLogprob[]): { readonly logprobs?: readonly TokenLogprob[] } {
  return logprobs.length === 0 ? {} : { logprobs }
}
