/**
 * Closes a server in order. A connection is wanted while a request runs on it and no longer: those without one close
 * when the drain begins, the others with their answer. So a stop takes as long as the longest call that runs.
 */
import type { IncomingMessage, ServerResponse } from 'node:http'
import type { Socket } from 'node:net'
import { endWithGrace } from './unreadable-requests.ts'

export class Draining {
  /** Every open connection, and the answers under way on it. */
  readonly #open = new Map<Socket, Set<ServerResponse>>()
  #hasBegun = false

  get hasBegun(): boolean {
    return this.#hasBegun
  }

  /** Answers under way. */
  get running(): number {
    let count = 0
    for (const running of this.#open.values()) count += running.size
    return count
  }

  /** A connection was made. */
  connected(socket: Socket): void {
    this.#open.set(socket, new Set())
    socket.once('close', () => this.#open.delete(socket))
  }

  /** A request is about to be answered. */
  answering({ socket }: IncomingMessage, response: ServerResponse): void {
    const running = this.#open.get(socket)
    if (running === undefined) return
    running.add(response)
    if (this.#hasBegun) closeWith(response)
    response.once('close', () => {
      running.delete(response)
      if (this.#hasBegun && running.size === 0) endWithGrace(socket)
    })
  }

  begin(): void {
    this.#hasBegun = true
    for (const [socket, running] of this.#open) {
      if (running.size === 0) endWithGrace(socket)
      for (const response of running) closeWith(response)
    }
  }
}

/** The client is told when it still can be: it need not find out by asking again on a connection that is gone. */
function closeWith(response: ServerResponse): void {
  if (!response.headersSent) response.setHeader('connection', 'close')
}
