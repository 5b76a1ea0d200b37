/**
 * From one dialect to another, through the neutral form: the table of dialects that can be converted, one line each. Equal
 * dialects need no conversion and never get one: their bytes stay what they are.
 */
import type { JsonObject } from '../../core/json.ts'
import type { DialectName } from '../dialect.ts'
import { chatHub } from '../dialects/chat-completions/hub/hub.ts'
import { converseHub } from '../dialects/converse/hub/hub.ts'
import { geminiHub } from '../dialects/gemini/hub/hub.ts'
import { messagesHub } from '../dialects/messages/hub/hub.ts'
import { responsesHub } from '../dialects/responses/hub/hub.ts'
import type { AnswerOptions, DialectHub, RequestOptions, StreamOptions } from '../hub/dialect-hub.ts'
import { leftOut, withoutVendorTools } from '../hub/left-out.ts'
import { tagOf } from '../hub/tags.ts'
import { HubStream, type StreamConverter } from './hub-stream.ts'

/** The neutral form of each dialect. */
export const hubByName: Readonly<Record<DialectName, DialectHub>> = {
  'chat-completions': chatHub,
  messages: messagesHub,
  converse: converseHub,
  gemini: geminiHub,
  responses: responsesHub,
}

/**
 * Conversions for one hop: requests go from the client's dialect to the upstream's, responses and streams come back.
 * `upstream` in the options is its name in the configuration: what one upstream says for its own use goes back to it only.
 */
export interface Converter {
  /**
   * Set `model` to the upstream's own name first: it decides between spellings of a few fields.
   * Throws `request.invalid` / `request.unsupported` naming the field.
   */
  request(body: JsonObject, options?: RequestOptions): JsonObject
  /** May change the body. Throws `upstream.malformed`. */
  response(body: JsonObject, options?: AnswerOptions): JsonObject
  /** A converter for one response stream. */
  stream(options?: StreamOptions): StreamConverter
}

/** The converter for a client and an upstream; undefined when they speak the same dialect. */
export function converterFor(client: DialectName, upstream: DialectName): Converter | undefined {
  if (client === upstream) return undefined
  const near = hubByName[client]
  const far = hubByName[upstream]
  return {
    request(body, options = {}) {
      const { request, dropped } = withoutVendorTools(near.readRequest(body))
      const written = far.writeRequest(request, tagged(options))
      options.onLeftOut?.([...leftOut(request, written), ...dropped])
      return written
    },
    response: (body, options = {}) => near.writeAnswer(far.readAnswer(body, tagged(options)), options),
    stream: (options = {}) => new HubStream((emit) => far.readStream(emit, tagged(options)), near.writeStream(options)),
  }
}

/** A dialect is told of the upstream by its tag, which clients may see. */
function tagged<T extends { readonly upstream?: string | undefined }>(options: T): T {
  return options.upstream === undefined ? options : { ...options, upstream: tagOf(options.upstream) }
}
