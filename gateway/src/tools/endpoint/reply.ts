/**
 * The answer to one POST or GET. It starts as JSON and becomes an event stream when a notification or a long
 * silence asks for it, so that errors found early still have their HTTP status.
 */
import type { ServerResponse } from 'node:http'
import type { JsonObject } from '../../core/json.ts'
import { notificationText, requestText } from '../codec/json-rpc.ts'

/** Unsent bytes after which notifications are dropped: a slow reader must not grow our memory. */
const maxUnsent = 1024 * 1024

export class Reply {
  readonly #response: ServerResponse
  readonly #keepAlive: NodeJS.Timeout | undefined
  readonly #beforeEnd: (() => void)[] = []
  #streaming = false

  /** `keepAliveMs` of undefined means that the client does not take event streams. */
  constructor(response: ServerResponse, keepAliveMs: number | undefined) {
    this.#response = response
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
    if (this.#keepAlive === undefined || this.#response.writableEnded || this.#response.destroyed) return
    this.open()
    if (this.#response.writableLength < maxUnsent) this.#response.write(event(notificationText(method, params)))
  }

  /** Asks the client something on the stream. False when nobody is there to read it. */
  ask(id: string, method: string, params: JsonObject): boolean {
    if (this.#keepAlive === undefined || this.#response.writableEnded || this.#response.destroyed) return false
    this.open()
    if (this.#response.writableLength >= maxUnsent) return false
    this.#response.write(event(requestText(id, method, params)))
    return true
  }

  /** Calls `told` before the response message goes out: what still waits to be told is to arrive before it. */
  beforeEnd(told: () => void): void {
    this.#beforeEnd.push(told)
  }

  /** Sends the response message and ends. The status counts only while no event was sent. */
  end(message: string, status = 200): void {
    clearInterval(this.#keepAlive)
    if (this.#response.writableEnded || this.#response.destroyed) return
    for (const told of this.#beforeEnd) told()
    if (this.#streaming) this.#response.end(event(message))
    else endJson(this.#response, status, message)
  }

  /** Turns the answer into an event stream now. */
  open(): void {
    if (this.#streaming) return
    this.#streaming = true
    this.#response.writeHead(200, {
      'content-type': 'text/event-stream',
      'cache-control': 'no-cache, no-transform',
      'x-accel-buffering': 'no',
    })
    this.#response.flushHeaders()
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

export function endJson(response: ServerResponse, status: number, message: string, headers: Readonly<Record<string, string>> = {}): void {
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
