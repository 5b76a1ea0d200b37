/** What transforms do to a call: which apply, what they change, and what becomes of those that cannot. */
import type { DecisionRecord } from '@turnward/contract/decision'
import { settledAtTop } from '../../config/transforms.ts'
import { plainHeaders } from '../../config/route-matching.ts'
import type { Transform } from '../../config/snapshot.ts'
import { TurnwardError } from '../../core/error.ts'
import type { JsonObject } from '../../core/json.ts'
import { patched, UnfitChange } from '../../core/json-patch.ts'
import type { BodyExpressionInput } from '../../policy/body-expressions.ts'
import type { ModelCall } from '../call.ts'

type Records = NonNullable<DecisionRecord['transforms']>

export class TransformsOfCall {
  readonly records: Records = []
  /** Those that change its answer. */
  readonly ofAnswer: readonly Transform[]
  readonly #call: ModelCall
  readonly #facts: Omit<BodyExpressionInput, 'body'>

  constructor(call: ModelCall, transforms: readonly Transform[]) {
    this.#call = call
    this.ofAnswer = transforms.filter(({ on }) => on === 'response')
    const { caller, view, dialect, origin } = call
    this.#facts = { caller, model: view.model, stream: view.stream, dialect: dialect.name, headers: plainHeaders(origin.headers) }
  }

  /** The fields with what this transform changes; undefined where it changes nothing, or is skipped. Throws `transform.request`, `transform.answer`. */
  changed(transform: Transform, fields: JsonObject): JsonObject | undefined {
    try {
      const input = { ...this.#facts, body: this.#seenOf(transform, fields) }
      if (!holds(transform, input)) return undefined
      const result = patched(fields, transform.changes(input))
      this.#note(transform, 'applied')
      return result
    } catch (error) {
      return this.cannot(transform, error instanceof UnfitChange ? error.message : 'its expression failed')
    }
  }

  /** Whether this one is to be made, whatever the answer will be. */
  mayChangeAnswer(transform: Transform): boolean {
    // What it reads of an answer nobody knows before there is one.
    if (transform.applies === undefined || transform.applies.fields.length > 0) return true
    try {
      return holds(transform, { ...this.#facts, body: {} })
    } catch {
      return true
    }
  }

  /** Throws, unless it is skipped. */
  cannot(transform: Transform, why: string): undefined {
    this.#note(transform, transform.isSkipped ? 'skipped' : 'refused')
    if (transform.isSkipped) return undefined
    throw new TurnwardError(transform.on === 'request' || this.#facts.stream ? 'transform.request' : 'transform.answer', {
      subject: transform.name,
      why,
      turn: this.#call.turn ?? undefined,
    })
  }

  #note({ name, on }: Transform, result: Records[number]['result']): void {
    // An answer is taken as often as its model is asked within one request.
    const known = this.records.find((record) => record.name === name && record.on === on)
    if (known === undefined) this.records.push({ name, on, result })
    else known.result = result
  }

  #seenOf({ on }: Transform, fields: JsonObject): JsonObject {
    const settled = settledAtTop(this.#call.dialect.name, on)
    return Object.fromEntries(Object.entries(fields).filter(([name]) => !settled.has(name)))
  }
}

function holds({ applies }: Transform, input: BodyExpressionInput): boolean {
  const held = applies?.value(input) ?? true
  if (typeof held !== 'boolean') throw new UnfitChange('its `when` is neither true nor false')
  return held
}
