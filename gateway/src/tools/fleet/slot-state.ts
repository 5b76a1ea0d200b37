/** What a server of the fleet can be. Types only. */
import type { Exchange } from '../connectors/exchange.ts'

export type SlotState =
  | { readonly kind: 'idle' }
  | { readonly kind: 'starting'; readonly done: Promise<void>; readonly isListed: boolean }
  | { readonly kind: 'ready'; readonly exchange: Exchange; readonly since: number }
  /** Its child is stopped because nobody used it; what it listed is shown on. */
  | { readonly kind: 'asleep' }
  | { readonly kind: 'failed'; readonly why: string }
