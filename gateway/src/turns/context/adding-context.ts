/**
 * Puts what retrievers have found behind the person's message, where nothing stands behind it yet: as calls and their results, and
 * never as words of anybody else. Where an answer stands there, `restoreRefused` has put it back before it.
 */
import type { ModelCall } from '../call.ts'

/** Edits the body in place. The views of the call stay those of what its client has said. */
export function addContext(call: ModelCall): void {
  const { context, dialect, body } = call
  if (context === undefined || context.reads.length === 0) return
  if (context.answered === undefined) for (const { round } of context.reads) dialect.edit.appendRound(body.json, round)
  dialect.edit.defineCalls?.(
    body.json,
    context.reads.map(({ tool }) => tool),
  )
  call.bytes = undefined
}
