/**
 * The other processes that serve the same clients. What one of them keeps to itself (a running call, an open stream) is
 * reached by telling the others; what must not be lost is in the shared state, so a message may be.
 */
import type { JsonValue } from '../core/json.ts'

/** Takes what another process says. Messages come from processes of this installation only. */
export type PeerListener = (message: JsonValue, from: string) => void

export interface Peers {
  /** Tells one other process, by the name it spoke with. Lost when that one is gone. */
  send(peer: string, kind: string, message: JsonValue): void
  /** Tells all others that live now; never this one. */
  broadcast(kind: string, message: JsonValue): void
  /** Who takes messages of this kind here; one for each kind. */
  handle(kind: string, listener: PeerListener): void
}

/** A process that serves alone. */
export const noPeers: Peers = { send() {}, broadcast() {}, handle() {} }
