/**
 * Closes a server in order. A connection is wanted while a request runs on it and no longer: those without one close
 * when the drain begins, the others with their answer. So a stop takes as long as the longest call that runs. A client that
 * was just answered, or has just connected, may be sending its next request at this very moment: its connection stays open
 * for a little while, for one more answer, which tells it that the connection closes.
 */
import type { IncomingMessage, ServerResponse } from 'node:http'
import type { Socket } from 'node:net'
import { setTimeout as pause } from 'node:timers/promises'
import { endWithGrace } from './unreadable-requests.ts'

/** How soon a client that is at work sends its next request. */
const nextRequestMs = 250

interface OpenConnection {
  /** Answers under way on it. */
  readonly running: Set<ServerResponse>
  /** When it was made, or its last answer ended (milliseconds of `performance.now`). */
  usedAt: number
}

export class Draining {
  readonly #open = new Map<Socket, OpenConnection>()
  #hasBegun = false
  #refuses = false

  get hasBegun(): boolean {
    return this.#hasBegun
  }

  /** No request is answered any more that has not begun by now. */
  get refuses(): boolean {
    return this.#refuses
  }

  /** Answers under way. */
  get running(): number {
    let count = 0
    for (const { running } of this.#open.values()) count += running.size
    return count
  }

  /** A connection was made. */
  connected(socket: Socket): void {
    this.#open.set(socket, { running: new Set(), usedAt: performance.now() })
    socket.once('close', () => this.#open.delete(socket))
  }

  /** A request is about to be answered. */
  answering({ socket }: IncomingMessage, response: ServerResponse): void {
    const connection = this.#open.get(socket)
    if (connection === undefined) return
    const { running } = connection
    running.add(response)
    if (this.#hasBegun) closeWith(response)
    response.once('close', () => {
      running.delete(response)
      connection.usedAt = performance.now()
      if (this.#hasBegun && running.size === 0) endWithGrace(socket)
    })
  }

  /** Resolves when requests are refused: at once, unless a client may be about to send one. */
  async begin(): Promise<void> {
    this.#hasBegun = true
    const since = performance.now() - nextRequestMs
    let mayCome = false
    for (const [socket, { running, usedAt }] of this.#open) {
      for (const response of running) closeWith(response)
      if (running.size > 0) continue
      if (usedAt < since) endWithGrace(socket)
      else mayCome = true
    }
    if (mayCome) await pause(nextRequestMs)
    this.#refuses = true
    for (const [socket, { running }] of this.#open) if (running.size === 0) endWithGrace(socket)
  }
}

/** The client is told when it still can be: it need not find out by asking again on a connection that is gone. */
function closeWith(response: ServerResponse): void {
  if (!response.headersSent) response.setHeader('connection', 'close')
}
