/** The JSON of a request, the caller's to change. The messages of a long conversation are parsed only when somebody asks for them. */
import type { JsonObject } from '../../core/json.ts'
import { parseJson } from '../../core/parse-json.ts'

export class RequestBody {
  readonly #json: JsonObject
  /** The bytes to take the messages from; undefined once they are there. */
  #bytes: Buffer | undefined

  /** `bytes`: the whole request, when the messages of `json` are not all of them. */
  constructor(json: JsonObject, bytes?: Buffer) {
    this.#json = json
    this.#bytes = bytes
  }

  /** Every field as it is, except for `messages`, which may be a part of them. Changes here are changes of the body. */
  get fields(): JsonObject {
    return this.#json
  }

  /** The whole body. */
  get json(): JsonObject {
    if (this.#bytes !== undefined) {
      const { messages } = parseJson(this.#bytes.toString('utf8')) as JsonObject
      this.#json.messages = messages ?? []
      this.#bytes = undefined
    }
    return this.#json
  }
}
