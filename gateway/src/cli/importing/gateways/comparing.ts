/** How texts are compared by what they mean, for caches and balances of routes. */
import type { DraftEntry } from './draft-entry.ts'
import type { Foreign } from './foreign-value.ts'

export interface ForeignComparing {
  /** The model of embeddings, as ours calls it. */
  readonly embeddings: string
  /** What says it. */
  readonly from: readonly Foreign[]
  /** A cosine, and what says it. */
  readonly threshold: number
  readonly near: Foreign | undefined
  /** How long an embedding may take, in milliseconds. */
  readonly wait?: Foreign | undefined
}

const isCosine = 'it is the cosine from which on two texts are near enough; try it anew with yours'
const longestMs = 60_000

/** `why`: what is different about what is compared. */
export function setComparing(
  route: DraftEntry,
  place: 'cache' | 'semantic',
  { embeddings, from, threshold, near, wait }: ForeignComparing,
  why?: string,
): void {
  route.set(`${place}.embeddings`, embeddings)
  for (const one of from) route.from(one, `${place}.embeddings`, why)
  route.set(`${place}.threshold`, threshold, near, isCosine)
  const ms = wait?.number()
  if (wait === undefined || ms === undefined || ms < 1) return
  const isLong = ms > longestMs
  route.set(`${place}.timeout_ms`, Math.min(Math.round(ms), longestMs), wait, isLong ? 'it is waited for a minute at most' : undefined)
}
