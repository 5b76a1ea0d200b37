/** What a run of the suite comes to. Pure: a check that fails is listed with its reason, or it is a fault; a line that lists none is one too. */
import type { Check, Ran } from './suite.ts'

export interface Excluded {
  readonly scenario: string
  readonly check: string
  readonly reason: string
}

export interface Verdict {
  /** Scored scenarios of which every check passed. */
  readonly passed: number
  readonly total: number
  readonly excluded: readonly Excluded[]
  /** Why the lane fails; empty when it is as expected. */
  readonly faults: readonly string[]
}

export interface Judged {
  readonly ran: Ran
  readonly scored: readonly string[]
  /** Judged like the others, but no part of the score. */
  readonly extras: readonly string[]
  /** `scenario:check` -> why it is expected to fail. */
  readonly expected: ReadonlyMap<string, string>
  /** The same scenarios where all is known to be right: a scenario that checks less than there has not shown that it passes. */
  readonly reference?: Ran
}

export function judge({ ran, scored, extras, expected, reference }: Judged): Verdict {
  const excluded: Excluded[] = []
  const faults: string[] = []
  let passed = 0
  for (const scenario of [...scored, ...extras]) {
    const failures = failuresOf(ran.get(scenario) ?? [], reference?.get(scenario))
    if (failures.size === 0 && scored.includes(scenario)) passed += 1
    for (const [check, why] of failures) {
      const reason = expected.get(`${scenario}:${check}`)
      if (reason === undefined) faults.push(`${scenario}:${check}: ${why}`)
      else excluded.push({ scenario, check, reason })
    }
  }
  const found = new Set(excluded.map(({ scenario, check }) => `${scenario}:${check}`))
  for (const line of expected.keys()) if (!found.has(line)) faults.push(`${line} does not fail: take it off the list of expected failures`)
  return { passed, total: scored.length, excluded, faults }
}

/** Check -> what went wrong. One that is made many times has failed when it failed once. */
function failuresOf(checks: readonly Check[], reference: readonly Check[] | undefined): ReadonlyMap<string, string> {
  const failures = new Map<string, string>()
  for (const { id, status, errorMessage } of checks)
    if ((status === 'FAILURE' || status === 'WARNING') && !failures.has(id)) failures.set(id, errorMessage ?? status)
  if (failures.size > 0) return failures
  if (!checks.some(({ status }) => status === 'SUCCESS')) return failures.set('nothing', 'the scenario checked nothing')
  const made = new Set(checks.filter(({ status }) => status !== 'SKIPPED').map(({ id }) => id))
  for (const { id, status } of reference ?? [])
    if (status === 'SUCCESS' && !made.has(id)) failures.set(id, 'it was not checked here, though it is where the server answers directly')
  return failures
}
