/**
 * The answer to one POST or GET. It starts as JSON and becomes an event stream when a notification or a long
 * silence asks for it, so that errors found early still have their HTTP status.
 */
import type { ServerResponse } from 'node:http'
import type { JsonObject } from '../../core/json.ts'
import { notificationText } from '../codec/json-rpc.ts'

/** Unsent bytes after which notifications are dropped: a slow reader must not grow our memory. */
const maxUnsent = 1024 * 1024

export class Reply {
  readonly #res: ServerResponse
  readonly #keepAlive: NodeJS.Timeout | undefined
  #streaming = false

  /** `keepAliveMs` of undefined means that the client does not take event streams. */
  constructor(res: ServerResponse, keepAliveMs: number | undefined) {
    this.#res = res
    if (keepAliveMs === undefined) return
    this.#keepAlive = setInterval(() => this.#comment(), keepAliveMs)
    this.#keepAlive.unref()
    res.once('close', () => clearInterval(this.#keepAlive))
  }

  /** Whether the client takes event streams. */
  get takesStream(): boolean {
    return this.#keepAlive !== undefined
  }

  /** Sends a notification on the stream; dropped when the client takes none, or does not read. */
  notify(method: string, params?: JsonObject): void {
    if (this.#keepAlive === undefined || this.#res.writableEnded || this.#res.destroyed) return
    this.open()
    if (this.#res.writableLength < maxUnsent) this.#res.write(event(notificationText(method, params)))
  }

  /** Sends the response message and ends. The status counts only while no event was sent. */
  end(message: string, status = 200): void {
    clearInterval(this.#keepAlive)
    if (this.#res.writableEnded || this.#res.destroyed) return
    if (this.#streaming) this.#res.end(event(message))
    else endJson(this.#res, status, message)
  }

  /** Turns the answer into an event stream now. */
  open(): void {
    if (this.#streaming) return
    this.#streaming = true
    this.#res.writeHead(200, { 'content-type': 'text/event-stream', 'cache-control': 'no-cache, no-transform', 'x-accel-buffering': 'no' })
    this.#res.flushHeaders()
  }

  /** Ends a stream that has no response message. */
  finish(): void {
    clearInterval(this.#keepAlive)
    if (!this.#res.writableEnded) this.#res.end()
  }

  #comment(): void {
    if (this.#res.writableEnded || this.#res.destroyed) return
    this.open()
    if (this.#res.writableLength < maxUnsent) this.#res.write(': keep-alive\n\n')
  }
}

export function endJson(res: ServerResponse, status: number, message: string, headers: Readonly<Record<string, string>> = {}): void {
  const length = Buffer.byteLength(message)
  res.writeHead(status, { 'content-type': 'application/json', 'cache-control': 'no-store', 'content-length': length, ...headers })
  // One byte a character is plain ASCII, which needs no encoding.
  res.end(message, length === message.length ? 'latin1' : 'utf8')
}

/** 202 without a body: an accepted notification. */
export function endAccepted(res: ServerResponse): void {
  res.writeHead(202, { 'content-length': 0 })
  res.end()
}

function event(message: string): string {
  return `event: message\ndata: ${message}\n\n`
}
