/** Whether `posture: standard` can be switched on, out of what the decision log saw while it was not. Pure. */
import type { ObservedGap, ToolUse } from '../../audit/tool-use.ts'
import type { Policy } from '../../policy/types.ts'

export interface WouldRefuse {
  readonly tool: string
  readonly calls: number
  /** Of these, how many would have been refused. */
  readonly refused: number
  readonly because: readonly ObservedGap[]
}

export interface Undescribed {
  readonly tool: string
  readonly seen: number
  /** Its server, or `client` for a tool that clients run themselves. */
  readonly server: string
}

export interface Readiness {
  readonly posture: Policy['posture']
  /** Tool calls that were decided. */
  readonly calls: number
  readonly wouldRefuse: readonly WouldRefuse[]
  /** Tools that were called and that no contract describes now. */
  readonly undescribed: readonly Undescribed[]
  readonly safe: boolean
  /** One sentence for `safe`. */
  readonly verdict: string
}

export function readiness(policy: Policy, uses: readonly ToolUse[], serverOf: (tool: string) => string | undefined): Readiness {
  const calls = uses.reduce((sum, use) => sum + use.calls, 0)
  const wouldRefuse = uses
    .filter(({ observed }) => observed > 0)
    .map(({ tool, calls: made, observed, gaps }): WouldRefuse => ({ tool, calls: made, refused: observed, because: gaps }))
  const undescribed = uses
    .filter(({ tool }) => policy.contractOf(tool) === undefined)
    .map(({ tool, calls: seen }): Undescribed => ({ tool, seen, server: serverOf(tool) ?? 'client' }))
  const refused = wouldRefuse.reduce((sum, one) => sum + one.refused, 0)
  const base = { posture: policy.posture, calls, wouldRefuse, undescribed }
  if (policy.posture !== 'observe') return { ...base, safe: true, verdict: `\`posture: ${policy.posture}\` is enforced already.` }
  if (calls === 0) return { ...base, safe: false, verdict: 'No tool call was seen yet: let agents work for a while, then ask again.' }
  if (refused > 0) return { ...base, safe: false, verdict: `Not yet: \`standard\` would have refused ${refused} of ${calls} calls.` }
  const rest =
    undescribed.length === 0
      ? ''
      : ` ${undescribed.length} of the tools are described by nobody: after an untrusted read \`standard\` refuses those that do more than read.`
  return { ...base, safe: true, verdict: `Safe: \`standard\` would have refused none of ${calls} calls.${rest}` }
}
