/** A stream of records for somebody, which ends when they may not have it any more. Nothing of it waits in memory but one text. */
import { once } from 'node:events'
import type { ServerResponse } from 'node:http'
import type { liveQuerySchema } from '@turnward/contract/api/live'
import type { z } from 'zod'
import { end as endOf } from '../audit/live/live-events.ts'
import { positionIn } from '../audit/live/log-position.ts'
import { asTurnwardError, TurnwardError } from '../core/error.ts'
import type { Services } from '../turns/services.ts'
import { type Administrator, requireRole } from './administrators.ts'
import type { Ask } from './api-route.ts'
import { onlyOf } from './own-calls.ts'

/** How often it is asked whether they still may, and a comment goes out. */
const lookMs = 5000
/** How long a client may take to read one text. */
const mostUnreadMs = 60_000

const unanswered = {
  subject: 'people',
  why: 'nobody says whether you may follow the log',
  fix: 'Come again once the store answers.',
}

const headers = {
  'content-type': 'text/event-stream; charset=utf-8',
  'cache-control': 'no-store',
  'x-accel-buffering': 'no',
  'x-content-type-options': 'nosniff',
  'content-security-policy': "default-src 'none'; frame-ancestors 'none'",
}

type LiveAsk = Ask<Readonly<Record<string, string>>, z.output<typeof liveQuerySchema>, undefined>

/** Resolves when the stream has ended. Rejects with a coded error before anything was sent. */
export async function answerLive(services: Pick<Services, 'feed' | 'live'>, ask: LiveAsk): Promise<void> {
  const { administrator, query, request, response, who } = ask
  const { id } = administrator
  const { last, principal, ...filter } = query
  const own = onlyOf(administrator)
  if (own !== undefined && principal !== undefined && principal !== own) requireRole(administrator, 'viewer')
  const from = request.headers['last-event-id']
  const followed = {
    filter: { ...filter, principal: own ?? principal },
    last,
    from: typeof from === 'string' ? positionIn(from) : undefined,
  }
  const stream = new LiveStream(response)
  const leave = await services.feed.listen(id, followed, stream)
  const exit = services.live.enterAs([`person ${id}`], { cancel: (reason) => stream.end(reason) })
  let isAsking = false
  const timer = setInterval(() => {
    // Where nobody answers for so long whether they still may, they may not.
    if (isAsking) return stream.end(new TurnwardError('store.failed', unanswered))
    isAsking = true
    stillMay(administrator, who)
      .then(
        () => stream.beat(),
        (error: unknown) => stream.end(asTurnwardError(error)),
      )
      .finally(() => (isAsking = false))
  }, lookMs)
  try {
    if (!response.destroyed) await once(response, 'close')
  } finally {
    clearInterval(timer)
    exit()
    leave()
  }
}

/** Rejects once somebody may not see any more what they saw when they came. */
async function stillMay(before: Administrator, who: () => Promise<Administrator>): Promise<void> {
  const now = await who()
  if (now.id !== before.id || onlyOf(now) !== onlyOf(before))
    throw new TurnwardError('auth.role', { subject: before.id, why: 'what they may see has changed; come again' })
}

class LiveStream {
  readonly #response: ServerResponse
  /** Since when a text is with the client's connection (`performance.now`). */
  #unreadSince: number | undefined

  constructor(response: ServerResponse) {
    this.#response = response
  }

  write(text: string, taken: () => void): void {
    const response = this.#response
    if (response.destroyed || response.writableEnded) return
    if (!response.headersSent) response.writeHead(200, headers)
    this.#unreadSince = performance.now()
    response.write(text, () => {
      this.#unreadSince = undefined
      taken()
    })
  }

  /** A comment, which says that the stream goes on; cut off for a client that has not read for too long. */
  beat(): void {
    if (this.#unreadSince === undefined) this.write(':\n\n', () => {})
    else if (performance.now() - this.#unreadSince > mostUnreadMs) this.#response.destroy()
  }

  end(error: TurnwardError): void {
    if (!this.#response.writableEnded) this.#response.end(endOf(error))
  }
}
