/**
 * A stream of changes of the tool list, the same for both eras. It is counted and watched before it opens: what cannot
 * be watched is answered with an error status, and a change that comes while the stream opens is told when it is open.
 */
import type { ServerResponse } from 'node:http'
import { TurnwardError } from '../../core/error.ts'
import type { McpContext } from '../operations.ts'
import type { EndpointParts } from './parts.ts'

export interface ChangeStream {
  /** Sends the head, and what comes first. */
  open(): void
  /** Tells of a change. */
  changed(): void
  /** Ends the stream gracefully. */
  end(): void
}

/** Resolves when the stream has ended, or when the client left before it opened. Rejects with a coded error before anything was sent. */
export async function streamChanges(
  parts: EndpointParts,
  context: McpContext,
  response: ServerResponse,
  stream: ChangeStream,
): Promise<void> {
  let isOpen = false
  let changedBefore = false
  let endedBefore = false
  const forget = parts.streams.add(context.caller.principal.id, () => {
    if (isOpen) stream.end()
    else endedBefore = true
  })
  try {
    const stop = await parts.operations.watchTools(context, () => {
      if (isOpen) stream.changed()
      else changedBefore = true
    })
    try {
      if (response.destroyed) return
      if (endedBefore) throw new TurnwardError('gateway.draining', { retryAfterSeconds: 1 })
      const closed = new Promise<void>((resolve) => response.once('close', () => resolve()))
      stream.open()
      isOpen = true
      if (changedBefore) stream.changed()
      await closed
    } finally {
      stop()
    }
  } finally {
    forget()
  }
}
