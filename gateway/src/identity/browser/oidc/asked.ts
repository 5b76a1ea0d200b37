/**
 * What we asked an issuer on behalf of a browser, until it comes back. It lies in that browser alone, sealed: the answer to what
 * another browser asked opens nothing here, and whoever only asks costs us no memory.
 */
import { hkdfSync } from 'node:crypto'
import type { IncomingMessage, ServerResponse } from 'node:http'
import type { Clock } from '../../../core/clock.ts'
import { isObject } from '../../../core/json.ts'
import { openBytes, sealBytes } from '../../../core/sealed-bytes.ts'
import type { Cookies } from '../cookies.ts'
import { ownPath } from '../own-path.ts'

export interface Asked {
  readonly issuer: string
  readonly state: string
  readonly nonce: string
  /** PKCE. */
  readonly verifier: string
  readonly returnTo: string
}

/** How long people have at the issuer. */
const answerWithinMs = 15 * 60_000
/** Tabs of one browser that may be on their way at once. */
const mostAtOnce = 4
const cookieStart = 'asked-'

export class AskedIssuers {
  readonly #key: Uint8Array
  readonly #clock: Clock

  /** `secret`: of the installation. */
  constructor(secret: Uint8Array, clock: Clock) {
    this.#key = Buffer.from(hkdfSync('sha256', secret, 'turnward', 'asked issuers v1', 32))
    this.#clock = clock
  }

  keep(request: IncomingMessage, response: ServerResponse, cookies: Cookies, asked: Asked): void {
    const others = cookies.all(request).filter(([name]) => name.startsWith(cookieStart))
    for (const [name] of others.slice(0, Math.max(0, others.length - mostAtOnce + 1))) cookies.remove(response, name)
    const content = JSON.stringify({ ...asked, until: this.#clock.now() + answerWithinMs })
    const sealed = sealBytes(this.#key, boundTo(asked.issuer, asked.state), Buffer.from(content))
    cookies.set(response, nameOf(asked.state), sealed, answerWithinMs / 1000)
  }

  /** What was asked under this state, once: the browser drops it with the answer. Undefined where this browser asked nothing like it. */
  take(request: IncomingMessage, response: ServerResponse, cookies: Cookies, issuer: string, state: string): Asked | undefined {
    const sealed = stateText.test(state) ? cookies.read(request, nameOf(state)) : undefined
    if (sealed === undefined) return undefined
    cookies.remove(response, nameOf(state))
    const content = openBytes(this.#key, boundTo(issuer, state), sealed)
    const asked: unknown = content === undefined ? undefined : JSON.parse(content.toString('utf8'))
    if (!isObject(asked)) return undefined
    const { until, nonce, verifier, returnTo } = asked
    if (typeof until !== 'number' || until <= this.#clock.now()) return undefined
    if (typeof nonce !== 'string' || typeof verifier !== 'string' || typeof returnTo !== 'string') return undefined
    return { issuer, state, nonce, verifier, returnTo: ownPath(returnTo) }
  }
}

const stateText = /^[0-9A-Za-z]{43}$/

function nameOf(state: string): string {
  return `${cookieStart}${state.slice(0, 8)}`
}

function boundTo(issuer: string, state: string): Buffer {
  return Buffer.from(JSON.stringify([issuer, state]))
}
