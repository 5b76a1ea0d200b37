/** What a server of the fleet can be, and what that is for those who look after it. */
import type { ServerStatus } from '../catalogue.ts'
import type { Exchange } from '../connectors/exchange.ts'

export type SlotState =
  | { readonly kind: 'idle' }
  | { readonly kind: 'starting'; readonly done: Promise<void>; readonly isListed: boolean }
  | { readonly kind: 'ready'; readonly exchange: Exchange; readonly since: number }
  /** Its child is stopped because nobody used it; what it listed is shown on. */
  | { readonly kind: 'asleep' }
  /** It answers people only: what it has was listed on the connection of one of them. */
  | { readonly kind: 'lent' }
  | { readonly kind: 'failed'; readonly why: string }

/** A child that starts again is at hand, and a server that answers people only has been reached. */
export function shownState({ state, isAtHand }: { readonly state: SlotState['kind']; readonly isAtHand: boolean }): ServerStatus['state'] {
  if (state === 'lent') return 'ready'
  return state === 'starting' && isAtHand ? 'asleep' : state
}
