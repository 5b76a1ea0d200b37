/**
 * The guards of one call: which they are, what they have found so far, and what becomes of that. Whatever is found is put on record by
 * its kind and its number, never by what it says.
 */
import type { DecisionRecord, GuardRecord } from '@turnward/contract/decision'
import type { Guard, Route } from '../../config/snapshot.ts'
import { BoundedMap } from '../../core/bounded-map.ts'
import type { CancelSignal } from '../../core/cancellation.ts'
import { TurnwardError } from '../../core/error.ts'
import { sha256 } from '../../core/hash.ts'
import type { AttachedCall } from '../call.ts'
import { EditedText } from './edited-text.ts'
import type { Finding, MakePlaceholder } from './guard.ts'
import { type Asking, ServiceFailure } from './examiner.ts'
import { examineTexts } from './examining-texts.ts'
import { openGuard } from './guard-kinds.ts'
import { Placeholders } from './placeholders.ts'
import { recordGuardRefusal } from './recording-guards.ts'
import type { TextUnit } from './text-units.ts'
import { reads, refusesWhole, type Side } from './what-guards-read.ts'

/** A call as its guards see it. */
export type GuardedCall = Omit<AttachedCall, 'session'> & {
  readonly session: AttachedCall['session'] | null
  /** `dec_…`: what is refused before it is sent is refused under it. */
  readonly decision: string
  /** What it is on record as. */
  readonly recordedAs: 'model_call' | 'token_count' | 'model_operation'
  readonly operation?: string
  readonly model: string
  /** Who waits for it. `granted`: it is a call of the gateway's own. */
  readonly origin: { readonly signal: CancelSignal; readonly granted?: string | undefined }
}

/** Texts in which a guard has found nothing are not looked at again: agents send their whole conversation with every call. */
const mostClean = 20_000
const shortestRemembered = 256
const clean = new WeakMap<Guard, BoundedMap<string, true>>()

export class GuardsOfCall {
  readonly input: readonly Guard[]
  readonly output: readonly Guard[]
  readonly placeholders: Placeholders
  readonly #call: GuardedCall
  readonly #records = new Map<string, GuardRecord>()
  #heldMs: number | undefined
  /** Characters of the answer that have gone out, where that is known. */
  shown: number | undefined

  private constructor(call: GuardedCall, guards: readonly Guard[]) {
    this.#call = call
    this.input = guards.filter(({ config }) => config.on !== 'output')
    this.output = guards.filter(({ config }) => config.on !== 'input')
    this.placeholders = new Placeholders(call.services.secret, call.session?.id ?? `principal ${call.caller.principal.id}`)
  }

  /** Undefined where nothing looks at the call. Guards that hold everywhere look before those of the route. */
  static of(call: GuardedCall, route: Pick<Route, 'guards'>): GuardsOfCall | undefined {
    const { standingGuards } = call.snapshot
    if (standingGuards.length === 0 && route.guards.length === 0) return undefined
    const { groups } = call.caller.principal
    const standing = standingGuards.filter(
      ({ config, groups: names }) => config.everywhere || groups.some((group) => names?.matches(group) === true),
    )
    // What a judge is asked about goes to no judge.
    const isOfJudge = call.origin.granted?.startsWith('guard ') === true
    const guards = [...new Set([...standing, ...route.guards])].filter(({ config }) => !isOfJudge || config.kind !== 'judge')
    return guards.length === 0 ? undefined : new GuardsOfCall(call, guards)
  }

  /** Whether an answer has to be looked at: by a guard, or for what its request had placeholders for. */
  get looksAtAnswer(): boolean {
    return this.output.length > 0 || !this.placeholders.isEmpty
  }

  /** Whether one of them lets the call, or its answer, go no further. */
  get hasBlocked(): boolean {
    return [...this.#records.values()].some(({ action }) => action === 'block')
  }

  /** What was found so far, for the record. */
  records(): Pick<DecisionRecord, 'guards' | 'heldMs'> {
    return {
      ...(this.#records.size === 0
        ? {}
        : { guards: [...this.#records.values()].map((record) => ({ ...record, found: { ...record.found } })) }),
      ...(this.#heldMs === undefined ? {} : { heldMs: this.#heldMs }),
    }
  }

  /** How long the beginning of a streamed answer was held back, in milliseconds. */
  noteHeld(ms: number): void {
    this.#heldMs = Math.round(ms)
    this.#call.services.telemetry.count('turnward_guard_held_answers_total')
    this.#call.services.telemetry.count('turnward_guard_held_seconds_total', {}, ms / 1000)
  }

  /** Whether nothing of a stream may go out before it is whole. */
  get holdsAnswer(): boolean {
    return this.output.some((guard) => {
      const { config, allow } = guard
      return ('hold' in config && config.hold === 'answer') || allow.count > 0 || openGuard(guard).examiner?.isAboutLast === true
    })
  }

  /** How much of an answer is gathered before anybody is asked about it, in characters or to the end of a sentence; undefined where nobody is asked. */
  get gathers(): number | 'sentence' | undefined {
    const holds = this.output
      .filter((guard) => openGuard(guard).examiner !== undefined)
      .flatMap(({ config }) => ('hold' in config && config.hold !== 'answer' ? config.hold : 1))
    if (holds.length === 0) return undefined
    const most = Math.max(...holds.map((hold) => (hold === 'sentence' ? 0 : hold)))
    return most <= 1 && holds.includes('sentence') ? 'sentence' : Math.max(1, most)
  }

  /** Whether anybody who is asked about an answer writes it otherwise: then no part of it is shown twice. */
  get rewrites(): boolean {
    return this.output.some((guard) => openGuard(guard).examiner !== undefined && guard.config.mode === 'redact')
  }

  /** Looks at texts by themselves, each as the guard before has left it. Throws `guard.refused` or `guard.answer_refused`, which is on record then. */
  look(side: Side, units: readonly TextUnit[]): void {
    for (const guard of side === 'input' ? this.input : this.output) {
      if (openGuard(guard).inspector === undefined) continue
      for (const unit of units) if (reads(guard, unit.place)) this.#lookAt(guard, side, unit)
    }
  }

  /** Asks those who are asked, one after the other, about what the others have left. Throws as `look`, and `guard.unavailable`. */
  async examine(side: Side, units: readonly TextUnit[]): Promise<void> {
    for (const guard of side === 'input' ? this.input : this.output) {
      const { examiner } = openGuard(guard)
      if (examiner !== undefined) await examineTexts(this, guard, examiner, { side, units, asking: this.#asking(side) })
    }
  }

  #asking(side: Side): Asking {
    const { services, snapshot, caller, turn, session, model, origin } = this.#call
    const placeholder = side === 'input' ? this.placeholders.make : forGood
    return { services, snapshot, caller, turn, session, model, signal: origin.signal, placeholder }
  }

  /** What becomes of a call that nobody could be asked about. Throws `guard.unavailable`, which is on record then, unless it goes on. */
  failed(guard: Guard, side: Side, thrown: unknown): void {
    if (!(thrown instanceof ServiceFailure)) throw thrown
    const { config } = guard
    const { cause } = thrown
    // What a service said may be what it was sent.
    const code = cause instanceof Error && 'code' in cause ? String(cause.code) : undefined
    this.#call.services.telemetry.logger.warn({ guard: guard.name, why: thrown.message, code }, 'a guard could not be asked')
    if ('fail' in config && config.fail === 'open') {
      this.note(guard, side, 'open', [])
      return
    }
    const record = this.note(guard, side, 'block', [{ start: 0, end: 0, what: 'no answer', instead: '' }])
    const error = new TurnwardError('guard.unavailable', { subject: guard.name, why: thrown.message, turn: this.#call.turn ?? undefined })
    recordGuardRefusal(this.#call, { guard: guard.name, side, record, error })
    throw error
  }

  /** Looks whether what was said is allowed as a whole. Throws as `look`. */
  lookAtWhole(side: Side, units: readonly TextUnit[]): void {
    for (const guard of side === 'input' ? this.input : this.output) {
      const why = refusesWhole(guard, side, units)
      if (why !== undefined) this.settle(guard, side, [{ start: 0, end: 0, what: why, instead: '' }])
    }
  }

  #lookAt(guard: Guard, side: Side, unit: TextUnit): void {
    const found = this.#findRemembered(guard, side, unit.text)
    if (found.length === 0 || !this.settle(guard, side, found) || unit.place === 'thought') return
    // Other words there would be another request, so it is none.
    if (unit.isFixed) throw this.refuse(guard, side, found)
    const edited = new EditedText(unit.text)
    for (const { start, end, instead } of found.toReversed()) edited.replace(start, end, instead)
    unit.text = edited.text
  }

  /** What a guard finds in a text. */
  find(guard: Guard, side: Side, text: string): readonly Finding[] {
    // What a model says of people by itself nobody gets back.
    return openGuard(guard).inspector?.find(text, side === 'input' ? this.placeholders.make : forGood) ?? nothing
  }

  #findRemembered(guard: Guard, side: Side, text: string): readonly Finding[] {
    if (openGuard(guard).inspector?.isClear?.(text) === true) return nothing
    if (text.length < shortestRemembered) return this.find(guard, side, text)
    let known = clean.get(guard)
    if (known === undefined) clean.set(guard, (known = new BoundedMap({ most: mostClean })))
    const digest = sha256(text)
    if (known.get(digest) !== undefined) return nothing
    const found = this.find(guard, side, text)
    if (found.length === 0) known.set(digest, true)
    return found
  }

  /** Notes what was found. True when it is to be written otherwise. Throws what the call is refused with. */
  settle(guard: Guard, side: Side, found: readonly Finding[], shown?: number): boolean {
    const { mode } = guard.config
    if (mode === 'block') throw this.refuse(guard, side, found, shown)
    this.note(guard, side, mode, found)
    return mode === 'redact'
  }

  /** The refusal, on record. `shown`: characters of the answer that have gone out. */
  refuse(guard: Guard, side: Side, found: readonly Finding[], shown = side === 'output' ? this.shown : undefined): TurnwardError {
    const record = this.note(guard, side, 'block', found)
    if (shown !== undefined) record.shown = shown
    const kinds = Object.entries(record.found).map(([what, count]) => (count === 1 ? what : `${what} (${count})`))
    const error = new TurnwardError(side === 'input' ? 'guard.refused' : 'guard.answer_refused', {
      subject: guard.name,
      why: `it has found ${kinds.join(', ')}`,
      turn: this.#call.turn ?? undefined,
    })
    recordGuardRefusal(this.#call, { guard: guard.name, side, record, error })
    return error
  }

  note(guard: Guard, on: Side, action: GuardRecord['action'], found: readonly Finding[]): GuardRecord {
    const key = JSON.stringify([guard.name, on, action])
    let record = this.#records.get(key)
    if (record === undefined) {
      this.#records.set(key, (record = { guard: guard.name, on, action, found: {} }))
      this.#call.services.telemetry.count('turnward_guards_total', { guard: guard.name, on, action })
    }
    for (const { what } of found) record.found[what] = (record.found[what] ?? 0) + 1
    return record
  }
}

const nothing: readonly Finding[] = []
const forGood: MakePlaceholder = (kind) => `[${kind}]`
