/** Forms of our pages: read in bounds, and taken only from a page of ours in the browser that was given it. */
import { timingSafeEqual } from 'node:crypto'
import type { IncomingMessage } from 'node:http'
import { TurnwardError } from '../../core/error.ts'
import { keyedHash } from '../../core/hash.ts'
import { html, type Html } from './html.ts'

const mostBytes = 64 * 1024
const fieldName = 'form'
/** Carries what the field of a form does, in requests of scripts. A page of another site cannot send it without being asked first. */
const headerName = 'x-turnward-form'

/** The fields of a form that was sent. Rejects with `request.malformed` or `request.too_large`. */
export async function readForm(request: IncomingMessage): Promise<URLSearchParams> {
  if (!/^application\/x-www-form-urlencoded(?:\s*;|\s*$)/i.test(request.headers['content-type'] ?? ''))
    throw new TurnwardError('request.malformed', {
      subject: 'content-type',
      why: 'a form was expected',
      fix: 'Use the page of this address.',
    })
  const parts: Buffer[] = []
  let bytes = 0
  for await (const part of request) {
    const buffer = part as Buffer
    bytes += buffer.length
    if (bytes > mostBytes) throw new TurnwardError('request.too_large', { why: `a form has at most ${mostBytes} bytes` })
    parts.push(buffer)
  }
  return new URLSearchParams(Buffer.concat(parts).toString('utf8'))
}

/** Fields that prove that a form was given to this browser. `boundTo`: what only this browser has, such as its session. */
export class FormTokens {
  readonly #secret: Uint8Array

  constructor(secret: Uint8Array) {
    this.#secret = secret
  }

  field(boundTo: string): Html {
    return html`<input type="hidden" name="${fieldName}" value="${this.#tokenOf(boundTo)}" />`
  }

  /**
   * Throws `auth.foreign_form` unless the form carries the token of this browser and came from a page at `publicUrl`. A browser
   * that says nothing of where it came from is refused too: every one of the last years says.
   */
  check(request: IncomingMessage, form: URLSearchParams, boundTo: string, publicUrl: string): void {
    if (!isOwnOrigin(request, publicUrl)) throw new TurnwardError('auth.foreign_form', { why: `it was not sent by a page at ${publicUrl}` })
    const [token, another] = form.getAll(fieldName)
    if (token === undefined || another !== undefined || !isSame(token, this.#tokenOf(boundTo)))
      throw new TurnwardError('auth.foreign_form', { why: 'the form was not given to this browser, or its session has ended' })
  }

  /** What a script of ours puts into the header. */
  token(boundTo: string): string {
    return this.#tokenOf(boundTo)
  }

  /** Throws `auth.foreign_request` unless a request carries the token of this browser in its header and came from a page at `publicUrl`. */
  checkHeader(request: IncomingMessage, boundTo: string, publicUrl: string): void {
    if (!isOwnOrigin(request, publicUrl))
      throw new TurnwardError('auth.foreign_request', { why: `it was not sent by a page at ${publicUrl}` })
    const token = request.headers[headerName]
    if (typeof token !== 'string' || !isSame(token, this.#tokenOf(boundTo)))
      throw new TurnwardError('auth.foreign_request', {
        subject: headerName,
        why: token === undefined ? 'the header is missing' : 'it was not given to this browser, or its session has ended',
      })
  }

  #tokenOf(boundTo: string): string {
    return keyedHash(this.#secret, 'browser form v1', boundTo)
  }
}

function isOwnOrigin({ headers }: IncomingMessage, publicUrl: string): boolean {
  const { origin } = headers
  const site = headers['sec-fetch-site']
  const isOwn = origin === undefined ? site === 'same-origin' : origin === new URL(publicUrl).origin
  return isOwn && (site === undefined || site === 'same-origin')
}

function isSame(one: string, other: string): boolean {
  const [left, right] = [Buffer.from(one), Buffer.from(other)]
  return left.length === right.length && timingSafeEqual(left, right)
}
