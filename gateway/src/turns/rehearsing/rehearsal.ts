/**
 * A conversation that did not take place, step by step through the engine that decides those that do: what a person says, what
 * a tool returns, what a model proposes. Pure: no server is called, nothing is recorded.
 */
import { digestJson } from '../../core/hash.ts'
import type { JsonObject, JsonValue } from '../../core/json.ts'
import { admit, admittedLabel, type Admission } from '../../policy/admit.ts'
import { decide, isReleased } from '../../policy/decide.ts'
import { reserve } from '../../policy/effects.ts'
import { comesFrom, type Evidence, type ValueSource } from '../../policy/evidence.ts'
import { join } from '../../policy/label.ts'
import type { Grantee, Label, Policy, PolicyState, ToolSubject, Verdict } from '../../policy/types.ts'
import { normalText, seam, type NormalText } from '../../policy/values/normal-text.ts'
import { leavesOf } from '../provenance/labelled-parts.ts'
import { type ListedRecord, listingOf, ownNames, readRecords } from '../provenance/records-in-results.ts'
import { addRecord, isSettled, recordKinds, soughtIn, traced } from '../provenance/sought-in-call.ts'
import { textsIn } from '../provenance/words-of-call.ts'
import { freshState } from '../sessions/fresh-state.ts'

/** A text of the conversation in which a value may stand. */
interface Part {
  readonly kind: ValueSource['kind']
  readonly text: NormalText
  readonly label: Label
  /** What its tool was asked, and the label of whoever asked: what it only says back is no word of its own. */
  readonly echo?: { readonly asked: NormalText; readonly label: Label }
}

export interface RehearsedCall {
  readonly tool: ToolSubject
  readonly args: JsonObject
  readonly gateway: string | null
  /** Who has approved exactly this call. */
  readonly approvedBy?: string | undefined
}

export class Rehearsal {
  readonly #policy: Policy
  readonly #caller: Grantee
  readonly #parts: Part[] = []
  readonly #records: ListedRecord[] = []
  #calls = 0
  #state: PolicyState

  /** `state`: what the conversation has read and done by then; without it, nothing. */
  constructor(policy: Policy, caller: Grantee, state: PolicyState = freshState(policy)) {
    this.#policy = policy
    this.#caller = caller
    this.#state = state
  }

  get state(): PolicyState {
    return this.#state
  }

  /** The person or the operator writes something. */
  say(kind: 'principal' | 'operator', text: string): void {
    this.#parts.push({ kind, text: normalText(text), label: freshState(this.#policy).label })
  }

  /** A call is proposed. Effects of one that is released are reserved. */
  propose({ tool, args, gateway, approvedBy }: RehearsedCall): { readonly verdict: Verdict; readonly callKey: string } {
    const callKey = `call-${(this.#calls += 1)}`
    const rulings: Evidence['rulings'] =
      approvedBy === undefined ? [] : [{ ruling: 'approve', by: approvedBy, callKey, argumentsDigest: digestJson(args) }]
    const evidence: Evidence = { ...comesFrom(), rulings, values: this.#values(tool, args) }
    const verdict = decide(this.#policy, this.#state, { tool, args, caller: this.#caller, gateway, callKey }, evidence)
    if (isReleased(verdict)) this.#state = { ...this.#state, effects: reserve(this.#state.effects, callKey, verdict.effects) }
    return { verdict, callKey }
  }

  /** A result is read: of a proposed call, or of one that was made before anybody here looked. */
  read(
    { tool, args }: Pick<RehearsedCall, 'tool' | 'args'>,
    result: JsonValue,
    { callKey = `call-${(this.#calls += 1)}`, outcome }: { readonly callKey?: string; readonly outcome: Admission['outcome'] },
  ): void {
    const { principal } = this.#caller
    const before = this.#state.label
    const admission: Admission = { tools: [tool], principal, callKey, outcome, canWithhold: true }
    const { state, content } = admit(this.#policy, this.#state, admission, comesFrom())
    this.#state = state
    const asked = normalText(textsIn(args).join(seam))
    this.#parts.push({ kind: 'model', text: asked, label: before })
    if (content.form === 'withheld') return
    const text = typeof result === 'string' ? result : JSON.stringify(result)
    const listing = listingOf(this.#policy, [tool])
    if (listing !== undefined) this.#records.push(...readRecords(text, listing))
    const label = admittedLabel(this.#policy, admission, comesFrom())
    this.#parts.push({ kind: 'result', text: normalText(leavesOf(text)), label, echo: { asked, label: before } })
  }

  #values(tool: ToolSubject, args: JsonObject): Evidence['values'] {
    const sought = soughtIn({ policy: this.#policy, principal: this.#caller.principal }, [tool], [args], this.#state.label)
    if (sought.size === 0) return undefined
    const kinds = recordKinds(sought.values())
    for (const { of, id, value } of kinds.size === 0 ? [] : ownNames(this.#records.filter(({ of }) => kinds.has(of))))
      for (const { kind, text, label } of this.#parts)
        if (kind === 'principal' && value.isIn(text)) addRecord(sought.values(), { of, id, label })
    for (const one of sought.values())
      for (const { kind, text, label, echo } of this.#parts) {
        if (isSettled(one)) break
        if (!one.value.isIn(text)) continue
        const isEcho = echo !== undefined && one.value.isIn(echo.asked)
        one.found.push({ kind, label: isEcho ? join(label, echo.label) : label })
      }
    return traced(sought)
  }
}
