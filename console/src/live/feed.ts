/** `/api/live`, read until told to stop: comes back by itself where it was, and says why when it may not. */
import type { liveDecisionsSchema, liveGapSchema } from '@turnward/contract/api/live'
import type { z } from 'zod'
import { ApiError, refusalOf } from '../api.ts'

export type Decision = z.output<typeof liveDecisionsSchema>['decisions'][number]
export type Gap = z.output<typeof liveGapSchema>

export interface FeedReader {
  readonly onDecisions: (decisions: readonly Decision[]) => void
  readonly onGap: (gap: Gap) => void
  readonly onState: (state: FeedState) => void
}

/** An error says why it will not be connected again, or, when it is waited for, why it is not yet. */
export type FeedState = 'connecting' | 'connected' | ApiError | Waiting

/** The gateway refuses for now: it starts, it cannot read its log, or too many follow it. */
export class Waiting {
  readonly why: string

  constructor({ message }: { readonly message: string }) {
    this.why = message
  }
}

const firstPauseMs = 1000
const longestPauseMs = 15_000

export async function followFeed(path: string, reader: FeedReader, signal: AbortSignal): Promise<void> {
  let id: string | undefined
  let pauseMs = firstPauseMs
  reader.onState('connecting')
  while (!signal.aborted) {
    await whenSeen(signal)
    if (signal.aborted) return
    const connection = whileSeen(signal)
    const headers = id === undefined ? undefined : { 'last-event-id': id }
    const response = await fetch(path, {
      credentials: 'same-origin',
      redirect: 'error',
      signal: connection.signal,
      ...(headers && { headers }),
    }).catch(() => undefined)
    if (response?.ok === true) {
      reader.onState('connected')
      pauseMs = firstPauseMs
      await readEvents(response, reader, (next) => (id = next)).catch(() => {})
      reader.onState('connecting')
    } else if (response !== undefined && response.status < 500 && response.status !== 429) {
      reader.onState(new ApiError(await refusalOf(response)))
      return
    } else if (response !== undefined) reader.onState(new Waiting(await refusalOf(response)))
    const wasHidden = connection.signal.aborted
    connection.abort()
    if (wasHidden) continue
    await pause(pauseMs, signal)
    pauseMs = Math.min(longestPauseMs, pauseMs * 2)
  }
}

/** An id counts once its whole event has come. */
async function readEvents(response: Response, { onDecisions, onGap }: FeedReader, onId: (id: string) => void): Promise<void> {
  const source = response.body?.pipeThrough(new TextDecoderStream()).getReader()
  let rest = ''
  for (let part = await source?.read(); part?.done === false; part = await source?.read()) {
    const blocks = `${rest}${part.value}`.split('\n\n')
    rest = blocks.pop() ?? ''
    for (const block of blocks) {
      const fields = Object.fromEntries(
        block.split('\n').map((line) => [line.slice(0, line.indexOf(':')), line.slice(line.indexOf(':') + 2)]),
      )
      const { event, data, id } = fields
      if (event === 'decisions') onDecisions((JSON.parse(data ?? '') as z.output<typeof liveDecisionsSchema>).decisions)
      else if (event === 'gap') onGap(JSON.parse(data ?? '') as Gap)
      if (id !== undefined) onId(id)
    }
  }
}

/** Aborted once nobody sees the page: a browser has few connections, and what comes meanwhile is there later. */
function whileSeen(signal: AbortSignal): AbortController {
  const connection = new AbortController()
  const look = (): void => {
    if (document.hidden || signal.aborted) connection.abort()
  }
  document.addEventListener('visibilitychange', look, { signal: connection.signal })
  signal.addEventListener('abort', look, { signal: connection.signal })
  look()
  return connection
}

async function whenSeen(signal: AbortSignal): Promise<void> {
  while (document.hidden && !signal.aborted)
    await new Promise<void>((resolve) => {
      document.addEventListener('visibilitychange', () => resolve(), { once: true })
      signal.addEventListener('abort', () => resolve(), { once: true })
    })
}

function pause(ms: number, signal: AbortSignal): Promise<void> {
  return new Promise((resolve) => {
    const timer = setTimeout(resolve, ms)
    signal.addEventListener('abort', () => {
      clearTimeout(timer)
      resolve()
    })
  })
}
