import type { ReadTools } from '../tool-definitions.ts'

/** One line for administrators about the tools of a ready server that nobody is shown. */
const mostReasons = 3

/** How many tools are left out or held, and why; never their names, which a server chose. */
export function whatIsMissing({ leftOut, held }: Pick<ReadTools, 'leftOut' | 'held'>, cut: string | undefined): string | undefined {
  const reasons = [...new Set(leftOut.values())]
  const more = reasons.length > mostReasons ? ', and other reasons' : ''
  const left = leftOut.size === 0 ? undefined : `${leftOut.size} tools left out: ${reasons.slice(0, mostReasons).join(', ')}${more}`
  const waiting = held.length === 0 ? undefined : `${held.length} tools wait for a review: \`turnward tools review\``
  return [left, waiting, cut].filter((part) => part !== undefined).join('; ') || undefined
}
