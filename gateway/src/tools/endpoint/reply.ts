/**
 * The answer to one POST or GET. It starts as JSON and becomes an event stream when a notification or a long
 * silence asks for it, so that errors found early still have their HTTP status.
 */
import type { ServerResponse } from 'node:http'
import type { JsonObject } from '../../core/json.ts'
import { notificationText, requestText } from '../codec/json-rpc.ts'
import { textOfOutgoing, type Outgoing } from '../large/large-result.ts'
import { eventStreamHeaders, type ResumableStream } from './resumable-streams.ts'

/** Unsent bytes after which notifications are dropped: a slow reader must not grow our memory. */
const maxUnsent = 1024 * 1024

/** Where a request is answered, and what its client is told meanwhile. */
export interface MessageStream {
  /** Whether the client can be told anything before the answer. */
  readonly takesStream: boolean
  /** Dropped when the client takes none, or does not read. */
  notify(method: string, params?: JsonObject): void
  /** Asks the client something. False when nobody is there to read it. */
  ask(id: string, method: string, params: JsonObject): boolean
  /** Calls `told` before the response message goes out. */
  beforeEnd(told: () => void): void
  /** Sends the response message; nothing follows it. */
  end(message: Outgoing, status?: number): void
}

export class Reply implements MessageStream {
  readonly #response: ServerResponse
  readonly #keepAlive: NodeJS.Timeout | undefined
  readonly #begin: (() => ResumableStream) | undefined
  /** What remembers the events, where a client may come back for them. */
  #resumable: ResumableStream | undefined
  readonly #beforeEnd: (() => void)[] = []
  #streaming = false

  /** `keepAliveMs` of undefined means that the client does not take event streams. `begin`: where it may come back for the rest of one. */
  constructor(response: ServerResponse, keepAliveMs: number | undefined, begin?: () => ResumableStream) {
    this.#response = response
    this.#begin = begin
    if (keepAliveMs === undefined) return
    this.#keepAlive = setInterval(() => this.#comment(), keepAliveMs)
    this.#keepAlive.unref()
    response.once('close', () => clearInterval(this.#keepAlive))
  }

  /** Whether the client takes event streams. */
  get takesStream(): boolean {
    return this.#keepAlive !== undefined
  }

  /** Sends a notification on the stream; dropped when the client takes none, or does not read. */
  notify(method: string, params?: JsonObject): void {
    if (this.#canSend()) this.#send(notificationText(method, params))
  }

  /** Asks the client something on the stream. False when nobody is there to read it. */
  ask(id: string, method: string, params: JsonObject): boolean {
    if (!this.#canSend()) return false
    this.#send(requestText(id, method, params))
    return true
  }

  /** Whether somebody is there to read, or may come back for it. */
  #canSend(): boolean {
    if (this.#keepAlive === undefined || this.#response.writableEnded) return false
    if (this.#response.destroyed) return this.#resumable !== undefined
    this.open()
    return this.#response.writableLength < maxUnsent
  }

  #send(message: string): void {
    const text = this.#resumable?.add(message) ?? event(message)
    if (!this.#response.destroyed) this.#response.write(text)
  }

  /** Calls `told` before the response message goes out: what still waits to be told is to arrive before it. */
  beforeEnd(told: () => void): void {
    this.#beforeEnd.push(told)
  }

  /** Sends the response message and ends. The status counts only while no event was sent. */
  end(message: Outgoing, status = 200): void {
    clearInterval(this.#keepAlive)
    if (this.#response.writableEnded) return
    for (const told of this.#beforeEnd) told()
    if (this.#streaming) {
      const text = this.#resumable?.add(textOfOutgoing(message), true)
      if (this.#response.destroyed) return
      if (text !== undefined || typeof message === 'string') this.#response.end(text ?? event(textOfOutgoing(message)))
      else endWith(this.#response, 'event: message\ndata: ', message, '\n\n')
    } else if (!this.#response.destroyed) endJson(this.#response, status, message)
  }

  /** Turns the answer into an event stream now. */
  open(): void {
    if (this.#streaming) return
    this.#streaming = true
    this.#response.writeHead(200, eventStreamHeaders)
    this.#response.flushHeaders()
    this.#resumable = this.#begin?.()
    if (this.#resumable !== undefined) this.#response.write(this.#resumable.begin())
  }

  /** Ends a stream that has no response message. */
  finish(): void {
    clearInterval(this.#keepAlive)
    if (!this.#response.writableEnded) this.#response.end()
  }

  #comment(): void {
    if (this.#response.writableEnded || this.#response.destroyed) return
    this.open()
    if (this.#response.writableLength < maxUnsent) this.#response.write(': keep-alive\n\n')
  }
}

export function endJson(response: ServerResponse, status: number, message: Outgoing, headers: Readonly<Record<string, string>> = {}): void {
  if (typeof message !== 'string') {
    const length = message.reduce((sum, part) => sum + Buffer.byteLength(part), 0)
    response.writeHead(status, { 'content-type': 'application/json', 'cache-control': 'no-store', 'content-length': length, ...headers })
    endWith(response, '', message, '')
    return
  }
  const length = Buffer.byteLength(message)
  response.writeHead(status, { 'content-type': 'application/json', 'cache-control': 'no-store', 'content-length': length, ...headers })
  // One byte a character is plain ASCII, which needs no encoding.
  response.end(message, length === message.length ? 'latin1' : 'utf8')
}

/** 202 without a body: an accepted notification. */
export function endAccepted(response: ServerResponse): void {
  response.writeHead(202, { 'content-length': 0 })
  response.end()
}

function event(message: string): string {
  return `event: message\ndata: ${message}\n\n`
}

/** Ends the response with the parts of a message, none of which is copied. */
function endWith(response: ServerResponse, before: string, [head, body, tail]: Exclude<Outgoing, string>, after: string): void {
  response.write(`${before}${head}`)
  response.write(body)
  response.end(`${tail}${after}`)
}
