/** The JSON of a request, the caller's to change. The messages of a long conversation are parsed only when somebody asks for them. */
import type { JsonObject } from '../../core/json.ts'
import { parseJson } from '../../core/parse-json.ts'

export class RequestBody {
  readonly #json: JsonObject
  readonly #listField: string
  /** The bytes to take the messages from; undefined once they are there. */
  #bytes: Buffer | undefined

  /** `listField`: the list of messages. `bytes`: the whole request, when the messages of `json` are not all of them. */
  constructor(json: JsonObject, listField: string, bytes?: Buffer) {
    this.#json = json
    this.#listField = listField
    this.#bytes = bytes
  }

  /** Every field as it is, except for the messages, which may be a part of them. Changes here are changes of the body. */
  get fields(): JsonObject {
    return this.#json
  }

  /** The whole body. */
  get json(): JsonObject {
    if (this.#bytes !== undefined) {
      const whole = parseJson(this.#bytes.toString('utf8')) as JsonObject
      this.#json[this.#listField] = whole[this.#listField] ?? []
      this.#bytes = undefined
    }
    return this.#json
  }
}
