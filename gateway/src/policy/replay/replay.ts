/**
 * Recorded turns under a draft: which calls would have been decided otherwise, for whom and by which line, and of which that is
 * not known. Pure; records come in the order of the log.
 */
import type { Action } from '@turnward/contract/decision'
import { ReplayedSession } from './replayed-session.ts'
import { type DecidedAgain, decideAgain } from './deciding-again.ts'
import type { ReplayedRecord, ReplayedTool, Sides } from './sides.ts'

/** Calls of one tool by one principal that a draft decides otherwise, in the same way. */
export interface ReplayedChange {
  readonly tool: string
  readonly principal: string
  /** What was done, and what the draft would have done. */
  readonly was: Action
  readonly becomes: Action
  /** The lines that make the difference: of the draft where it lacks something more, of the records where it no longer does. */
  readonly decidedBy: readonly string[]
  readonly reason: string
  readonly count: number
  /** A few turns in which it happened, newest first. */
  readonly turns: readonly string[]
}

/** Calls of which it is not known what a draft would have done. */
export interface ReplayedUnknown {
  readonly tool: string
  readonly principal: string
  readonly was: Action
  /** The line that asks, and what of the call it asks for that the log does not have. */
  readonly asks: readonly { readonly source: string; readonly needs: string }[]
  readonly count: number
  readonly turns: readonly string[]
}

export interface Replay {
  /** Decisions on calls that were looked at. A proposal and the call that came of it are two. */
  readonly decisions: number
  /** Decided as before, and for the same reasons. */
  readonly same: number
  /** Decided as before, for other reasons. */
  readonly otherReasons: number
  readonly changed: number
  readonly notKnown: number
  /** Of the decisions, how many were made under another revision of the configuration than the one that runs now. */
  readonly otherRevisions: number
  readonly changes: readonly ReplayedChange[]
  readonly unknown: readonly ReplayedUnknown[]
  /** Whether lines of the report were left out because there are more than it has room for. */
  readonly shortened: boolean
}

export interface ReplayOptions {
  /** What is known of the tool of a record; undefined when the subject names none. */
  readonly toolOf: (record: ReplayedRecord) => ReplayedTool | undefined
  /** Sessions that had begun before the first record. Undefined: that is not known of any. */
  readonly begunBefore: ReadonlySet<string> | undefined
}

const mostSessions = 20_000
const mostLines = 500
const mostTurns = 3
const decidedKinds: ReadonlySet<ReplayedRecord['kind']> = new Set(['tool_proposal', 'tool_call', 'resource_read', 'prompt_get'])

export class Replayer {
  readonly #sides: Sides
  readonly #options: ReplayOptions
  readonly #sessions = new Map<string, ReplayedSession>()
  /** Principal -> its sessions: a conversation that forks goes on from another one of the same. */
  readonly #ofPrincipal = new Map<string, Set<string>>()
  readonly #everyEffect: ReadonlySet<string>
  readonly #changes = new Map<string, ReplayedChange & { count: number; turns: string[] }>()
  readonly #unknown = new Map<string, ReplayedUnknown & { count: number; turns: string[] }>()
  readonly #counts = { decisions: 0, same: 0, otherReasons: 0, changed: 0, notKnown: 0, otherRevisions: 0 }
  #shortened = false

  constructor(sides: Sides, options: ReplayOptions) {
    this.#sides = sides
    this.#options = options
    this.#everyEffect = new Set((sides.draft.policy.contracts ?? []).flatMap(({ effects }) => effects))
  }

  /** Takes the next record of the log; gives what the draft makes of it where it is a decision on a call. */
  add(record: ReplayedRecord): DecidedAgain | undefined {
    const session = this.#sessionOf(record)
    if (session === undefined) return undefined
    session.note(record)
    const tool = this.#options.toolOf(record)
    if (record.kind === 'admission') session.admitted(record, tool)
    else if (record.kind === 'model_call' && record.type === 'decision' && record.action === 'release') session.goneOn(record)
    if (!decidedKinds.has(record.kind) || tool === undefined) return undefined
    if (record.type === 'outcome') {
      session.ended(record, tool)
      return undefined
    }
    const again = decideAgain(this.#sides, record, session, tool, this.#besides(record))
    this.#count(record, again)
    session.decided(record, tool, howOf(again))
    return again
  }

  report(): Replay {
    const byCount = <Line extends { count: number; tool: string }>(lines: Iterable<Line>): readonly Line[] =>
      [...lines].toSorted((one, other) => other.count - one.count || (one.tool < other.tool ? -1 : 1))
    return {
      ...this.#counts,
      changes: byCount(this.#changes.values()),
      unknown: byCount(this.#unknown.values()),
      shortened: this.#shortened,
    }
  }

  #sessionOf(record: ReplayedRecord): ReplayedSession | undefined {
    // What was refused before it had one is decided by itself.
    if (record.session === null) return new ReplayedSession(this.#sides, record)
    const known = this.#sessions.get(record.session)
    if (known !== undefined) return known
    if (this.#sessions.size >= mostSessions) {
      this.#shortened = true
      return undefined
    }
    const session = new ReplayedSession(this.#sides, record)
    this.#sessions.set(record.session, session)
    const all = this.#ofPrincipal.get(record.principal) ?? new Set()
    this.#ofPrincipal.set(record.principal, all.add(record.session))
    return session
  }

  /** What may have been done where the session of a record began. */
  #besides(record: ReplayedRecord): ReadonlySet<string> {
    if (record.session === null || this.#options.begunBefore?.has(record.session) !== false) return this.#everyEffect
    const others = [...(this.#ofPrincipal.get(record.principal) ?? [])].filter((id) => id !== record.session)
    return new Set(others.flatMap((id) => [...(this.#sessions.get(id)?.effects.draft.done ?? [])]))
  }

  #count(record: ReplayedRecord, again: DecidedAgain): void {
    this.#counts.decisions += 1
    if (record.revision !== this.#sides.revision) this.#counts.otherRevisions += 1
    const { subject: tool, principal, action: was } = record
    if (again.form === 'not known') {
      this.#counts.notKnown += 1
      const key = JSON.stringify([tool, principal, was, again.open])
      return this.#note(this.#unknown, key, record, () => ({ tool, principal, was, asks: again.open }))
    }
    const { action: becomes, reason } = again
    const differing = differingLines(record, again)
    if (becomes === was) {
      if (differing.length === 0) this.#counts.same += 1
      else this.#counts.otherReasons += 1
      return
    }
    this.#counts.changed += 1
    const decidedBy = differing.length > 0 ? differing : again.rules
    this.#note(this.#changes, JSON.stringify([tool, principal, was, becomes, decidedBy]), record, () => ({
      tool,
      principal,
      was,
      becomes,
      decidedBy,
      reason,
    }))
  }

  #note<Line extends object>(
    lines: Map<string, Line & { count: number; turns: string[] }>,
    key: string,
    { turn }: ReplayedRecord,
    line: () => Line,
  ): void {
    let known = lines.get(key)
    if (known === undefined) {
      if (lines.size >= mostLines) {
        this.#shortened = true
        return
      }
      known = { ...line(), count: 0, turns: [] }
      lines.set(key, known)
    }
    known.count += 1
    if (turn !== null && known.turns[0] !== turn) known.turns = [turn, ...known.turns.filter((one) => one !== turn)].slice(0, mostTurns)
  }
}

/** Lines with a gap on one side only. */
function differingLines(
  { gaps: before = [] }: ReplayedRecord,
  { gaps: after }: Extract<DecidedAgain, { form: 'decided' }>,
): readonly string[] {
  const textOf = ({ kind, source }: { readonly kind: string; readonly source: string }): string => `${source} (${kind})`
  const [was, is] = [new Set(before.map(textOf)), new Set(after.map(textOf))]
  const added = [...is].filter((line) => !was.has(line))
  return added.length > 0 ? added : [...was].filter((line) => !is.has(line))
}

function howOf(again: DecidedAgain): 'released' | 'refused' | 'not known' {
  if (again.form === 'not known') return 'not known'
  return again.action === 'refuse' || again.action === 'hold' ? 'refused' : 'released'
}
