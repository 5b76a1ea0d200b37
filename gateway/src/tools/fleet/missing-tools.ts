/** One line for administrators about the tools of a ready server that nobody is shown. */
const mostReasons = 3

/** How many tools are left out, and why; never their names, which a server chose. */
export function whatIsMissing(leftOut: ReadonlyMap<string, string>, cut: string | undefined): string | undefined {
  const reasons = [...new Set(leftOut.values())]
  const more = reasons.length > mostReasons ? ', and other reasons' : ''
  const left = leftOut.size === 0 ? undefined : `${leftOut.size} tools left out: ${reasons.slice(0, mostReasons).join(', ')}${more}`
  return [left, cut].filter((part) => part !== undefined).join('; ') || undefined
}
