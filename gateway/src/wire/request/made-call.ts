/** A call that no model has made: what a dialect writes it as, so that its answer may stand in a history. */
import type { JsonObject } from '../../core/json.ts'

export interface MadeCallOf {
  readonly id: string
  readonly name: string
  /** Names of the models that may read it. */
  readonly models: readonly string[]
}

export interface MadeCall {
  readonly call: JsonObject
  /** The message that makes it, as a round has it. */
  readonly assistant: JsonObject
}
