/** The decision over everything a call may mean: refused when any of it is. */
import { decide } from '../../policy/decide.ts'
import type { Evidence } from '../../policy/evidence.ts'
import type { ApprovalTerms, Policy, PolicyState, ToolCallEvent, ToolSubject, Verdict } from '../../policy/types.ts'

type Tools = readonly [ToolSubject, ...ToolSubject[]]

/** Decides a call that may be a call of any of these tools. */
export function decideAll(
  policy: Policy,
  state: PolicyState,
  tools: Tools,
  event: Omit<ToolCallEvent, 'tool'>,
  evidence: Evidence,
): Verdict {
  return strictest(tools, (tool) => decide(policy, state, { ...event, tool }, evidence))
}

/** The first refusal, else all verdicts as one. */
export function strictest(tools: Tools, judge: (tool: ToolSubject) => Verdict): Verdict {
  const [first, ...others] = tools
  let verdict = judge(first)
  for (const tool of others) {
    if (verdict.action === 'refuse') return verdict
    const other = judge(tool)
    const strict = strictness(other) > strictness(verdict) ? other : verdict
    verdict =
      strict.action === 'refuse'
        ? strict
        : {
            ...strict,
            rules: union(verdict.rules, other.rules),
            effects: union(verdict.effects, other.effects).sort(),
            ...(strict.action === 'hold' ? { awaits: awaitedBy([...(verdict.awaits ?? []), ...(other.awaits ?? [])]) } : {}),
          }
  }
  return verdict
}

const actions = { release: 0, answer: 1, observe: 2, hold: 3, refuse: 4 } as const
const verdicts = { allow: 0, warn: 1, deny: 2 } as const

/** What is enforced comes first: a call that waits for a person must not go on because it may mean something harmless as well. */
function strictness({ action, verdict }: Verdict): number {
  return actions[action] * 3 + verdicts[verdict]
}

/** Whoever any of its meanings waits for. */
function awaitedBy(terms: readonly ApprovalTerms[]): readonly ApprovalTerms[] {
  return terms.filter((one, index) => terms.findIndex(({ source }) => source === one.source) === index)
}

function union(one: readonly string[], other: readonly string[]): string[] {
  return [...new Set([...one, ...other])]
}
