/** The other workers, as one of them reaches them: through the owner, who knows which live. */
import type { Peers, PeerListener } from '../../cluster/peers.ts'
import type { JsonValue } from '../../core/json.ts'
import type { Link } from './link.ts'
import type { PeerDelivery, PeerMessage } from './messages.ts'

export class LinkPeers implements Peers {
  readonly #listeners = new Map<string, PeerListener>()
  readonly #link: () => Link

  constructor(link: () => Link) {
    this.#link = link
  }

  send(peer: string, kind: string, message: JsonValue): void {
    this.#say({ to: peer, kind, message })
  }

  broadcast(kind: string, message: JsonValue): void {
    this.#say({ to: null, kind, message })
  }

  handle(kind: string, listener: PeerListener): void {
    this.#listeners.set(kind, listener)
  }

  /** A message of another worker has come. */
  take({ from, kind, message }: PeerDelivery): void {
    this.#listeners.get(kind)?.(message, from)
  }

  #say(message: PeerMessage): void {
    this.#link().tell('peer', { head: message })
  }
}
