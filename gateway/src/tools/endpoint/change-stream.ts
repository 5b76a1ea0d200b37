/**
 * A stream of what has changed, the same for both eras. It is counted and watched before it opens: what cannot be watched is
 * answered with an error status, and a change that comes while the stream opens is told when it is open.
 */
import { asTurnwardError, TurnwardError } from '../../core/error.ts'
import type { McpContext } from '../operations.ts'
import { waitFor } from '../connectors/cancelling.ts'
import type { Arrival, EndpointParts } from './parts.ts'

export interface ChangeStream {
  /** The resources whose changes are told, now. */
  uris(): Promise<readonly string[]>
  /** Sends the head, and what comes first. `refresh`: to be called when the resources are others. */
  open(refresh: () => void): void
  /** Tells that lists may have changed. */
  changed(): void
  /** Tells that a resource has. */
  updated(uri: string): void
  /** Ends the stream gracefully. */
  end(): void
}

/** Resolves when the stream has ended, or when the client left before it opened. Rejects with a coded error before anything was sent, or when it is cut. */
export async function streamChanges(
  parts: EndpointParts,
  context: McpContext,
  { response, cut }: Pick<Arrival, 'response' | 'cut'>,
  stream: ChangeStream,
): Promise<void> {
  let isOpen = false
  let endedBefore = false
  const before: (() => void)[] = []
  const tell = (what: () => void): void => {
    if (isOpen) what()
    else if (before.length < mostBefore) before.push(what)
  }
  const forget = parts.streams.add(context.caller.principal.id, () => {
    if (isOpen) stream.end()
    else endedBefore = true
  })
  const watch = async (): Promise<() => void> =>
    parts.operations.watch(context, {
      changed: () => tell(() => stream.changed()),
      uris: await stream.uris(),
      updated: (uri) => tell(() => stream.updated(uri)),
    })
  let stop: (() => void) | undefined
  const refresh = (): void => {
    // The watch before ends when the new one is there, so that nothing is missed.
    watch().then(
      (next) => {
        stop?.()
        stop = next
        if (response.destroyed) next()
      },
      (error: unknown) => parts.logger.warn({ code: asTurnwardError(error).code }, 'an MCP session is not told of other resources'),
    )
  }
  try {
    stop = await watch()
    if (response.destroyed) return
    if (endedBefore) throw new TurnwardError('gateway.draining', { retryAfterSeconds: 1 })
    const closed = new Promise<void>((resolve) => response.once('close', () => resolve()))
    stream.open(refresh)
    isOpen = true
    for (const what of before) what()
    await waitFor(closed, cut)
  } finally {
    stop?.()
    forget()
  }
}

/** Changes while a stream opens; what is more says nothing new. */
const mostBefore = 16
