/** Sends content that is read bit by bit. Nobody can tell half of it from all of it, except by its connection. */
import type { OutgoingHttpHeaders } from 'node:http'
import type { CallOrigin } from '../origins/call-origin.ts'

/** Rejects with what reading it rejects with: as long as nothing went out, that can still be told. */
export async function sendContent(
  { outlet, signal }: CallOrigin,
  headers: OutgoingHttpHeaders,
  chunks: AsyncIterable<Uint8Array | string>,
): Promise<void> {
  try {
    for await (const chunk of chunks) {
      if (signal.aborted) return
      if (!outlet.hasBegun) outlet.head(200, headers)
      outlet.write(chunk)
      if (outlet.isFull) await drained({ outlet, signal })
    }
    if (!outlet.hasBegun) outlet.head(200, headers)
    outlet.end()
  } catch (error) {
    if (outlet.hasBegun) outlet.destroy()
    throw error
  }
}

function drained({ outlet, signal }: Pick<CallOrigin, 'outlet' | 'signal'>): Promise<void> {
  return new Promise((resolve) => {
    const go = (): void => {
      outlet.offDrain(go)
      signal.removeEventListener('abort', go)
      resolve()
    }
    if (signal.aborted) return go()
    outlet.onDrain(go)
    signal.addEventListener('abort', go, { once: true })
  })
}
