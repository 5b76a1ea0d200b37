/** The feed as a component shows it: drawn twice a second at most, and not while somebody reads. */
import { startTransition, useCallback, useEffect, useRef, useState } from 'react'
import { type Decision, type FeedState, followFeed, type Gap } from './feed.ts'
import { Tail } from './tail.ts'

/** What has come, in its order. */
export type Come = { readonly key: string } & ({ readonly decision: Decision } | { readonly gap: Gap })

export interface ShownTail {
  readonly shown: readonly Come[]
  /** How many wait. */
  readonly waiting: number
  readonly state: FeedState
  readonly show: () => void
}

const drawnEachMs = 500

/** `isHeld`: whether what comes waits. */
export function useTail(path: string, isHeld: () => boolean): ShownTail {
  const [view, setView] = useState<Pick<ShownTail, 'shown' | 'waiting'>>({ shown: [], waiting: 0 })
  const [state, setState] = useState<FeedState>('connecting')
  const tail = useRef(new Tail<Come>())
  const draw = useCallback((): void => {
    const { shown, waiting } = tail.current
    setView((before) => (before.shown === shown && before.waiting === waiting ? before : { shown, waiting }))
  }, [])
  const show = useCallback((): void => {
    tail.current.show()
    draw()
  }, [draw])
  useEffect(() => {
    const stop = new AbortController()
    let gaps = 0
    tail.current = new Tail()
    draw()
    const reader = {
      onDecisions: (decisions: readonly Decision[]): void =>
        tail.current.add(decisions.map((decision) => ({ key: `${decision.writer} ${decision.seq}`, decision }))),
      onGap: (gap: Gap): void => tail.current.add([{ key: `gap ${(gaps += 1)}`, gap }]),
      onState: (next: FeedState): void => {
        if (!stop.signal.aborted) setState(next)
      },
    }
    followFeed(path, reader, stop.signal).catch(() => {})
    const timer = setInterval(() => {
      if (tail.current.waiting > 0 && !isHeld()) tail.current.show()
      // In pieces: a hundred rows at once would keep the page from answering.
      startTransition(draw)
    }, drawnEachMs)
    return () => {
      stop.abort()
      clearInterval(timer)
    }
  }, [path, isHeld, draw])
  return { ...view, state, show }
}
