/** Records of a running gateway as they are written, over `/api/live`: gone on with by itself after a lost connection, until told to stop. */
import { setTimeout as pause } from 'node:timers/promises'
import type { liveDecisionsSchema, liveGapSchema } from '@turnward/contract/api/live'
import type { z } from 'zod'
import { TurnwardError } from '../core/error.ts'
import { SseFramer } from '../wire/framing/sse.ts'
import { type ApiOptions, openApi, pathOf } from './api-client.ts'

type Decision = z.output<typeof liveDecisionsSchema>['decisions'][number]
export type Gap = z.output<typeof liveGapSchema>

export type Followed = { readonly decision: Decision } | { readonly gap: Gap }

const pauseMs = 1000
const mostEventBytes = 256 * 1024 * 1024

/** `last`: begins with so many earlier ones. Rejects with what the gateway refuses, and with `gateway.unreachable` when nobody answers at first. */
export async function* followGateway(
  options: ApiOptions,
  { last, signal }: { readonly last: number; readonly signal: AbortSignal },
): AsyncGenerator<Followed, void> {
  let id: string | undefined
  let hasBegun = false
  while (!signal.aborted) {
    try {
      const headers = id === undefined ? {} : { 'last-event-id': id }
      const answer = await openApi(options, pathOf('/api/live', { last: String(last) }), { headers, signal })
      hasBegun = true
      for await (const { followed, next } of eventsOf(answer)) {
        yield* followed
        id = next ?? id
      }
    } catch (error) {
      if (signal.aborted) return
      // A gateway that starts again, or that is busy, is come back to.
      const isLost = !(error instanceof TurnwardError) || error.status >= 500 || error.status === 429
      if (!hasBegun || !isLost) throw error
    }
    await pause(pauseMs, undefined, { signal }).catch(() => {})
  }
}

async function* eventsOf(answer: Response): AsyncGenerator<{ readonly followed: readonly Followed[]; readonly next: string | undefined }> {
  const framer = new SseFramer(mostEventBytes)
  for await (const bytes of answer.body ?? []) {
    const events: { readonly followed: readonly Followed[]; readonly next: string | undefined }[] = []
    framer.push(bytes as Uint8Array, ({ event, data, raw }) =>
      events.push({ followed: followedIn(event, data), next: /^id: ([^\r\n]+)$/m.exec(raw.toString('latin1'))?.[1] }),
    )
    yield* events
  }
}

function followedIn(event: string | undefined, data = ''): readonly Followed[] {
  if (event === 'gap') return [{ gap: JSON.parse(data) as Gap }]
  if (event !== 'decisions') return []
  return (JSON.parse(data) as z.output<typeof liveDecisionsSchema>).decisions.map((decision) => ({ decision }))
}
