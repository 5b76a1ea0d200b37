/**
 * What was done with each tool according to the decision log, and what would have been refused had it been enforced.
 * Pure and bounded: it keeps counts and a few examples, never records.
 */
import type { DecisionRecord } from '@turnward/contract/decision'

/** One reason for which calls of a tool would have been refused. */
export interface ObservedGap {
  readonly kind: string
  /** The configuration that asks for it: `contract mail__send`, `contracts`. */
  readonly source: string
  /** In the words of the decision. */
  readonly detail: string
  readonly count: number
  /** A few turns in which it happened, newest first. */
  readonly turns: readonly string[]
}

export interface ToolUse {
  readonly tool: string
  /** Calls decided, a call that a model proposed and a client then made counted once. */
  readonly calls: number
  /** Of these, calls that ran and would have been refused. */
  readonly observed: number
  /** Of these, calls that were refused. */
  readonly refused: number
  readonly gaps: readonly ObservedGap[]
  /** What the sessions had read by then, and how often. */
  readonly labels: readonly LabelCount[]
}

export interface LabelCount {
  /** Rank of the session, by the name it had; null: it is not on record. */
  readonly trust: string | null
  /** Whether what it had read is not for everybody. */
  readonly isRestricted: boolean
  readonly count: number
}

interface Counting {
  calls: number
  observed: number
  refused: number
  readonly gaps: Map<string, { kind: string; source: string; detail: string; count: number; turns: string[] }>
  readonly labels: Map<string, { trust: string | null; isRestricted: boolean; count: number }>
}

const maxTools = 10_000
const maxCalls = 1_000_000
const maxGaps = 20
const maxTurns = 3
const maxLabels = 64

/** Counts records in any order; show it the newest first to have the newest examples. */
export class ToolUseCounter {
  readonly #tools = new Map<string, Counting>()
  readonly #calls = new Set<string>()
  /** Whether something was left out because there was more than is kept. */
  overflowed = false

  add(record: DecisionRecord): void {
    if (record.type !== 'decision' || (record.kind !== 'tool_call' && record.kind !== 'tool_proposal')) return
    // No grant: for this caller there is no such tool, in every posture.
    if (record.gaps?.some(({ kind }) => kind === 'grant') === true) return
    const call = `${record.turn ?? record.id} ${record.subject} ${record.toolCallId ?? record.id}`
    if (this.#calls.has(call)) return
    const tool = this.#tools.get(record.subject) ?? { calls: 0, observed: 0, refused: 0, gaps: new Map(), labels: new Map() }
    if (this.#calls.size >= maxCalls || (!this.#tools.has(record.subject) && this.#tools.size >= maxTools)) {
      this.overflowed = true
      return
    }
    this.#calls.add(call)
    this.#tools.set(record.subject, tool)
    tool.calls += 1
    noteLabel(tool, record.labelBefore)
    if (record.action === 'refuse') tool.refused += 1
    if (record.action !== 'observe') return
    tool.observed += 1
    for (const gap of record.gaps ?? []) noteGap(tool, gap, record.turn)
  }

  /** By how often a call would have been refused, then how often called, then by name. */
  uses(): readonly ToolUse[] {
    return [...this.#tools]
      .map(([tool, { gaps, labels, ...counts }]) => ({
        tool,
        ...counts,
        gaps: [...gaps.values()].sort((a, b) => b.count - a.count),
        labels: [...labels.values()].sort((a, b) => b.count - a.count),
      }))
      .sort((a, b) => b.observed - a.observed || b.calls - a.calls || (a.tool < b.tool ? -1 : 1))
  }
}

function noteLabel({ labels }: Counting, label: DecisionRecord['labelBefore']): void {
  const trust = label?.trust ?? null
  const isRestricted = (label?.audience.length ?? 0) > 0
  const key = JSON.stringify([trust, isRestricted])
  const known = labels.get(key) ?? { trust, isRestricted, count: 0 }
  // Names of ranks are few; what is beyond is of a configuration nobody has any more.
  if (!labels.has(key) && labels.size >= maxLabels) return
  known.count += 1
  labels.set(key, known)
}

function noteGap(tool: Counting, { kind, source, detail }: { kind: string; source: string; detail: string }, turn: string | null): void {
  const key = `${kind} ${source}`
  const known = tool.gaps.get(key)
  if (known === undefined && tool.gaps.size >= maxGaps) return
  const gap = known ?? { kind, source, detail, count: 0, turns: [] }
  tool.gaps.set(key, gap)
  gap.count += 1
  if (turn !== null && gap.turns.length < maxTurns && !gap.turns.includes(turn)) gap.turns.push(turn)
}
