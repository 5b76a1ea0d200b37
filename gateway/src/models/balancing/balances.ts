/** The ways to choose among upstreams of one priority. A table: one line each, all of one form. */
import type { BalanceName, PlainBalanceName } from '@turnward/contract/config/balancing'
import type { RouteTarget } from '../../config/snapshot.ts'
import { rendezvousScore } from './rendezvous.ts'

/** An upstream that may be asked, and what is known of it. */
export interface Candidate {
  readonly target: RouteTarget
  /** Its share; above 0. */
  readonly weight: number
  /** Calls under way there. */
  readonly running: number
  /** Milliseconds until its answers begin; undefined where none was measured. */
  readonly latencyMs: number | undefined
  /** US dollars that the call is expected to cost there; undefined where its price is not known. Asked by `lowest_cost` only. */
  readonly cost: number | undefined
  /** How near its examples are to what was said (cosine), where that is near enough. */
  readonly nearness: number | undefined
}

/** What is chosen by beside the candidates. */
export interface ChoiceFacts {
  /** What is to stay at one upstream: the session, or whoever asks where there is none. */
  readonly stickyKey: string
  /** At least 0 and less than 1. */
  readonly random: () => number
  /** Where what was said is near to nothing: how one is chosen then, and why it is near to nothing. */
  readonly otherwise: { readonly balance: PlainBalanceName; readonly why: string }
}

interface Balance {
  /** Whom to ask first: the smallest comes first. Of equals, chance decides in proportion to their weights. */
  readonly rank: (candidate: Candidate, facts: ChoiceFacts) => readonly number[]
  /** Why it stands where it stands, for the record. */
  readonly why: (candidate: Candidate, among: readonly Candidate[], facts: Pick<ChoiceFacts, 'otherwise'>) => string
  /** Of equals, the one that is listed first is asked first. */
  readonly keepsOrder?: boolean
  /** It asks what the call costs. */
  readonly asksCost?: boolean
}

export const balances: Readonly<Record<BalanceName, Balance>> = {
  ordered: { rank: () => [], why: () => 'the first that is listed', keepsOrder: true },
  weighted: {
    rank: () => [],
    why: ({ weight }, among) => `chance, with weight ${weight} of ${among.reduce((sum, one) => sum + one.weight, 0)}`,
  },
  least_busy: {
    rank: ({ running, weight }) => [running / weight],
    why: ({ running }) => `${running} calls under way there`,
  },
  lowest_latency: {
    // Calls under way count as if each made the next one wait as long, so that not everybody goes there at once.
    rank: ({ latencyMs, running, weight }) => [((latencyMs ?? 0) * (running + 1)) / weight, running / weight],
    why: ({ latencyMs, running }) =>
      latencyMs === undefined
        ? 'not measured yet'
        : `its answers begin after ${Math.round(latencyMs)} ms, ${running} calls under way there`,
  },
  lowest_cost: {
    // What nobody knows the price of is not cheap.
    rank: ({ cost }) => [cost ?? Infinity],
    why: ({ cost }) => (cost === undefined ? 'no price is known of it' : `${Number(cost.toPrecision(3))} USD expected`),
    asksCost: true,
  },
  sticky: {
    rank: ({ target, weight }, { stickyKey }) => [-rendezvousScore(stickyKey, nameOf(target), weight)],
    why: () => 'the one of this conversation',
  },
  semantic: {
    // What has examples is for what is like them, what has none for everything else.
    rank: (candidate, facts) => {
      const { target, nearness } = candidate
      if (nearness !== undefined) return [-nearness]
      return [target.examples === undefined ? 1 : 2, ...balances[facts.otherwise.balance].rank(candidate, facts)]
    },
    why: (candidate, among, facts) => {
      const { nearness } = candidate
      if (nearness !== undefined) return `its examples are near to what was said (${nearness.toFixed(2)})`
      const { balance, why } = facts.otherwise
      return `${why}; ${balance}: ${balances[balance].why(candidate, among, facts)}`
    },
  },
}

/** What decides, where it may be left to another way to balance. */
function plainOf(name: BalanceName, { otherwise }: Pick<ChoiceFacts, 'otherwise'>): Balance {
  return balances[name === 'semantic' ? otherwise.balance : name]
}

/** Whether it matters what a call costs. */
export function asksCost(name: BalanceName, facts: Pick<ChoiceFacts, 'otherwise'>): boolean {
  return plainOf(name, facts).asksCost === true
}

/** An upstream may stand in a route more than once, with other models. */
function nameOf({ upstream, model }: RouteTarget): string {
  return model === undefined ? upstream.name : `${upstream.name}\0${model}`
}

/** The order in which candidates of one priority are asked. */
export function orderOf(name: BalanceName, candidates: readonly Candidate[], facts: ChoiceFacts): readonly Candidate[] {
  const { rank } = balances[name]
  const { keepsOrder = false } = plainOf(name, facts)
  if (candidates.length < 2) return candidates
  const ranked = candidates.map((candidate) => ({
    candidate,
    rank: rank(candidate, facts),
    // Weighted sampling without replacement (Efraimidis and Spirakis): the smaller its share, the later it tends to come.
    lot: keepsOrder ? 0 : -Math.log(1 - facts.random()) / candidate.weight,
  }))
  return ranked.toSorted((a, b) => compare(a.rank, b.rank) || a.lot - b.lot).map(({ candidate }) => candidate)
}

function compare(a: readonly number[], b: readonly number[]): number {
  for (const [at, one] of a.entries()) {
    const other = b[at] ?? 0
    if (one !== other) return one < other ? -1 : 1
  }
  return 0
}
