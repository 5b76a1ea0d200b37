/**
 * The processes of other replicas, told as those of this machine are: one of each replica is reached by the hop, and tells
 * the others beside it. What is told may be lost; what must not be is in the shared state.
 */
import { isObject, type JsonValue } from '../core/json.ts'
import type { Hop } from './hop.ts'
import type { PeerListener, Peers } from './peers.ts'

const hopKind = 'peers'
/** Nobody waits for it, and a busy machine takes its time. */
const withinMs = 10_000

export interface ReplicaPeersOptions {
  readonly hop: Hop
  /** The processes beside this one. */
  readonly local: Peers
  /** Names of the other replicas that are known to live. */
  readonly others: () => readonly string[]
  /** Looks who has joined and was not heard of; they are among `others` from then on. Rejects where nobody can be looked for. */
  readonly newcomers: () => Promise<unknown>
}

/** A replica as whom a request of the hop is for: any of its processes. */
export function anyOf(replica: string): string {
  return `any of ${replica}`
}

export function replicaPeers({ hop, local, others, newcomers }: ReplicaPeersOptions): Peers {
  const listeners = new Map<string, PeerListener>()
  hop.handle(hopKind, async (payload) => {
    if (!isObject(payload) || typeof payload.kind !== 'string') return null
    const message: JsonValue = payload.message ?? null
    listeners.get(payload.kind)?.(message, 'another replica')
    local.broadcast(payload.kind, message)
    return null
  })
  return {
    send: (peer, kind, message) => local.send(peer, kind, message),
    broadcast(kind, message) {
      local.broadcast(kind, message)
      const known = others()
      const tell = (replica: string): void => {
        hop.ask(anyOf(replica), hopKind, { kind, message }, AbortSignal.timeout(withinMs)).catch(() => {})
      }
      for (const replica of known) tell(replica)
      newcomers().then(
        // Also those that another look, which was under way, has found.
        () => {
          for (const replica of others()) if (!known.includes(replica)) tell(replica)
        },
        // Who cannot be found out about is not told.
        () => {},
      )
    },
    handle(kind, listener) {
      listeners.set(kind, listener)
      local.handle(kind, listener)
    },
  }
}
