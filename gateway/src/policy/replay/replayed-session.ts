/**
 * A session of the log under a draft: the label it would have had at least and at most, out of what was read and what the
 * draft says of each result, and what it would have done. As long as nothing differs it is the label that is on record.
 */
import { resultLabel, unknownLabel } from '../admit.ts'
import { effectiveContract } from '../contracts.ts'
import { join, labelFromRecord, publicLabel, sameLabel } from '../label.ts'
import { clientRun, type Label, type PolicyState } from '../types.ts'
import { type HowReleased, type LedgerBounds, RecordedEffects } from './recorded-effects.ts'
import { granteeOf, hasSameOutput, type ReplayedRecord, type ReplayedTool, type Sides } from './sides.ts'

/** What nobody here can account for: what it adds is the same whatever contracts say. */
const strangers: ReadonlySet<string> = new Set(['unknown history', 'unknown tool call'])

interface Awaiting {
  readonly tool: ReplayedTool
  readonly how: HowReleased
  readonly came: boolean
}

export class ReplayedSession {
  readonly #sides: Sides
  readonly effects: { readonly now: RecordedEffects; readonly draft: RecordedEffects }
  #recorded: Label
  #least: Label
  #most: Label
  /** What the draft says of calls that were decided, by tool: an admission names its tool only. */
  readonly #how = new Map<string, HowReleased>()
  /** Calls that a client runs, whose results come with the next model call. */
  #awaiting: Awaiting[] = []

  constructor(sides: Sides, first: ReplayedRecord) {
    this.#sides = sides
    this.effects = { now: new RecordedEffects(sides.now.policy), draft: new RecordedEffects(sides.draft.policy) }
    const label = first.labelBefore === null ? publicLabel(sides.draft.policy.trustRanks.length - 1) : this.#labelOf(first.labelBefore)
    this.#recorded = this.#least = this.#most = label
  }

  /** Whether its label is for certain the one that is on record. */
  get isAsRecorded(): boolean {
    return sameLabel(this.#least, this.#recorded) && sameLabel(this.#most, this.#recorded)
  }

  get recorded(): Label {
    return this.#recorded
  }

  /** The states it can be in under the draft: the one that restricts least, and the one that restricts most. */
  states({ least, most }: LedgerBounds): readonly [PolicyState, PolicyState] {
    return [
      { label: this.#least, effects: least },
      { label: this.#most, effects: most },
    ]
  }

  /** A record says what the label is, whatever has made it so. */
  note(record: ReplayedRecord): void {
    if (record.labelBefore !== null) this.#move(this.#labelOf(record.labelBefore))
  }

  /** A call was decided. `how`: what the draft makes of it. */
  decided(record: ReplayedRecord, tool: ReplayedTool, how: HowReleased): void {
    const key = callKeyOf(record)
    const was: HowReleased = record.action === 'refuse' || record.action === 'hold' ? 'refused' : 'released'
    const endsHere = tool.tool.server !== clientRun
    this.effects.now.decided(key, tool, was, endsHere && was === 'released')
    this.effects.draft.decided(key, tool, how, endsHere && was === 'released')
    this.#how.set(record.subject, how)
    if (record.kind === 'tool_proposal') this.#awaiting.push({ tool, how, came: was === 'released' })
  }

  /** A call that ran here has ended, and its result was read. */
  ended(record: ReplayedRecord, tool: ReplayedTool): void {
    for (const effects of [this.effects.now, this.effects.draft]) effects.ended(callKeyOf(record), tool, record.outcome)
    if (record.outcome === 'refused' || record.labelAfter === null) return
    this.#read(record, tool, this.#how.get(record.subject) ?? 'not known')
  }

  /** Something was read that narrowed the session. `tool`: whose result it was; undefined for what is no result. */
  admitted(record: ReplayedRecord, tool: ReplayedTool | undefined): void {
    if (tool !== undefined) return this.#read(record, tool, this.#how.get(record.subject) ?? 'released')
    if (record.labelAfter === null) return
    const after = this.#labelOf(record.labelAfter)
    if (this.isAsRecorded) this.#recorded = this.#least = this.#most = after
    else if (strangers.has(record.subject)) {
      const { draft } = this.#sides
      const label = unknownLabel(draft.policy, granteeOf(record, draft, this.#sides).principal)
      this.#least = join(this.#least, label)
      this.#most = join(this.#most, label)
      this.#recorded = after
    } else this.#move(after)
  }

  /** The conversation goes on with another model call: results of what clients ran have come with it. */
  goneOn(record: ReplayedRecord): void {
    for (const { tool, how, came } of this.#awaiting) {
      if (this.isAsRecorded && came && how === 'released' && this.#isSame(record, tool)) continue
      this.#join(record, tool, came ? how : how === 'refused' ? 'refused' : 'not known')
    }
    this.#awaiting = []
    this.effects.now.goneOn()
    this.effects.draft.goneOn()
  }

  #read(record: ReplayedRecord, tool: ReplayedTool, how: HowReleased): void {
    if (record.labelAfter === null) return
    const after = this.#labelOf(record.labelAfter)
    if (this.isAsRecorded && how === 'released' && this.#isSame(record, tool)) {
      this.#recorded = this.#least = this.#most = after
      return
    }
    const before = record.labelBefore === null ? this.#recorded : this.#labelOf(record.labelBefore)
    this.#join(record, tool, how)
    const { now } = this.#sides
    const expected = join(before, resultLabel(now.policy, [tool.tool], granteeOf(record, now, this.#sides).principal))
    // It has brought more than its contract says: words that were known from elsewhere.
    if (how !== 'refused' && !sameLabel(expected, after) && record.revision === this.#sides.revision) this.#most = join(this.#most, after)
    this.#recorded = after
  }

  /** Joins what the draft says of a result. */
  #join(record: ReplayedRecord, { tool, isListed }: ReplayedTool, how: HowReleased): void {
    if (how === 'refused') return
    const { draft } = this.#sides
    const { output } = effectiveContract(draft.policy.contractOf(tool.name), tool).contract
    const label = resultLabel(draft.policy, [tool], granteeOf(record, draft, this.#sides).principal)
    if (output.as === 'quarantine') {
      // Nobody reads the result; what is asked about it is not known.
      this.#most = join(this.#most, { ...label, trust: output.answers ?? label.trust })
      return
    }
    if (how === 'released') this.#least = join(this.#least, label)
    this.#most = join(this.#most, isListed ? label : { ...label, trust: 0 })
  }

  #isSame(record: ReplayedRecord, tool: ReplayedTool): boolean {
    return record.revision === this.#sides.revision && hasSameOutput(this.#sides, tool)
  }

  /** The label on record is another one than it was. */
  #move(label: Label): void {
    if (sameLabel(label, this.#recorded)) return
    if (this.isAsRecorded) this.#least = this.#most = label
    else this.#most = join(this.#most, label)
    this.#recorded = label
  }

  #labelOf(label: NonNullable<ReplayedRecord['labelBefore']>): Label {
    return labelFromRecord(label, this.#sides.draft.policy)
  }
}

/** The key of a call: of a proposal, and of the call that came of it. */
export function callKeyOf({ modelCall, toolCallId, turn, subject }: ReplayedRecord): string {
  return toolCallId == null ? `${turn ?? ''} ${subject}` : `${modelCall ?? ''}:${toolCallId}`
}
