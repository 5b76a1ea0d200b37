/**
 * A call with handles is two calls: the one the model wrote, and the one that runs. Both are judged, because a rule about a path or
 * a command is a rule about what runs; whoever wrote what a handle stands for may have meant it to pass.
 */
import type { JsonObject } from '../../core/json.ts'
import { isReleased } from '../../policy/decide.ts'
import type { Verdict } from '../../policy/types.ts'
import type { HandledArguments } from './handles-in-arguments.ts'

/** `judge`: the verdict on a call with these arguments. */
export function judgeWithContents(args: JsonObject, handled: HandledArguments | undefined, judge: (args: JsonObject) => Verdict): Verdict {
  const asWritten = judge(args)
  if (handled?.form !== 'put in place' || !isReleased(asWritten)) return asWritten
  const asRun = judge(handled.args)
  // Whoever approves it sees what runs.
  if (asRun.action === 'hold') return asRun
  if (!isReleased(asRun)) return withoutWords(asRun)
  const all = (one: readonly string[], other: readonly string[]): string[] => [...new Set([...one, ...other])]
  const strict = asWritten.action === 'observe' ? asWritten : { ...asRun, reason: asWritten.reason, gaps: asWritten.gaps }
  return { ...strict, rules: all(asWritten.rules, asRun.rules), effects: all(asWritten.effects, asRun.effects).sort() }
}

/** A verdict tells what arguments are wrong; of what no model may read it tells nothing. */
function withoutWords(verdict: Verdict): Verdict {
  return {
    ...verdict,
    action: 'refuse',
    verdict: 'deny',
    gaps: [{ kind: 'argument', detail: 'with what the handles stand for in place, the call is not allowed', source: 'handles' }],
    remedies: [{ kind: 'prerequisite', detail: 'ask about what the handle stands for, and write the argument yourself' }],
    reason: 'With what the handles in its arguments stand for in place, the call is not allowed.',
  }
}
