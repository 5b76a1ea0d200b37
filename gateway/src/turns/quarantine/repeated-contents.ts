/**
 * A tool that was given what a handle stands for may say it again: `Wrote "…"`. What it repeats has not become the tool's own words,
 * and counts with the label of the content.
 */
import { withoutSpace } from '../../core/without-space.ts'
import type { Label } from '../../policy/types.ts'
import type { HandledArguments } from './handles-in-arguments.ts'

/** Shorter pieces of a content are found in anything. */
const shortestLine = 8
const shortestContent = 3
/** Lines of one content that are looked for. */
const mostLines = 4096

/** The label of contents of which a result repeats a line, or all of it; undefined when it repeats none. White space counts for nothing. */
export function labelOfRepeated(handled: HandledArguments | undefined, text: () => string): Label | undefined {
  if (handled?.form !== 'put in place') return undefined
  const said = withoutSpace(text())
  const isRepeated = handled.contents.some((content) => {
    const whole = withoutSpace(content)
    if (whole.length >= shortestContent && said.includes(whole)) return true
    const lines = content.split('\n', mostLines).map(withoutSpace)
    return lines.some((line) => line.length >= shortestLine && said.includes(line))
  })
  return isRepeated ? handled.label : undefined
}
