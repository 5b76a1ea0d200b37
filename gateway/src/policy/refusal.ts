/**
 * What the model is told in place of a result. Made only of the verdict, whose texts come from configuration and
 * from this engine: a refusal must never carry what it protects against.
 */
import type { Verdict } from './types.ts'

const maxLength = 1000

/** `not run: <reason> <what would be allowed>`, at most 1000 characters, on one line. */
export function refusalNotice(verdict: Verdict): string {
  const remedies = verdict.remedies.map(({ detail }) => detail)
  const advice = remedies.length === 0 ? 'Do not repeat this call.' : `What would help: ${remedies.join('; or ')}.`
  return bounded(`not run: ${verdict.reason} ${advice}`)
}

function bounded(text: string): string {
  const line = text.replace(/[\s\p{C}]+/gu, ' ')
  if (line.length <= maxLength) return line
  // A cut inside a surrogate pair would leave half a character.
  return `${line.slice(0, maxLength - 1).replace(/[\uD800-\uDBFF]$/, '')}…`
}
