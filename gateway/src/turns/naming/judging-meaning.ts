/** The decision over everything a call may mean: refused when any of it is. */
import { decide } from '../../policy/decide.ts'
import type { Policy, PolicyState, ToolCallEvent, ToolSubject, Verdict } from '../../policy/types.ts'

type Tools = readonly [ToolSubject, ...ToolSubject[]]

/** Decides a call that may be a call of any of these tools. */
export function decideAll(policy: Policy, state: PolicyState, tools: Tools, event: Omit<ToolCallEvent, 'tool'>): Verdict {
  return strictest(tools, (tool) => decide(policy, state, { ...event, tool }))
}

/** The first refusal, else all verdicts as one. */
export function strictest(tools: Tools, judge: (tool: ToolSubject) => Verdict): Verdict {
  const [first, ...others] = tools
  let verdict = judge(first)
  for (const tool of others) {
    if (verdict.action === 'deny') return verdict
    const other = judge(tool)
    verdict =
      other.verdict === 'deny'
        ? other
        : {
            ...verdict,
            ...worse(verdict, other),
            rules: union(verdict.rules, other.rules),
            effects: union(verdict.effects, other.effects).sort(),
          }
  }
  return verdict
}

const severity = { allow: 0, warn: 1, deny: 2 } as const

function worse(one: Verdict, other: Verdict): Pick<Verdict, 'verdict' | 'action' | 'reason' | 'gaps' | 'remedies'> {
  const { verdict, action, reason, gaps, remedies } = severity[other.verdict] > severity[one.verdict] ? other : one
  return { verdict, action, reason, gaps, remedies }
}

function union(one: readonly string[], other: readonly string[]): string[] {
  return [...new Set([...one, ...other])]
}
