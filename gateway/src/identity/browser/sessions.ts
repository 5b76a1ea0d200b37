/**
 * Sessions of people at browsers. The cookie is a random text that is stored as a keyed hash only; everything else is at our
 * side. A session ends when it was not used for a while, at the latest some hours after signing in, when its person signs out,
 * here or everywhere, and when the person was disabled or has got other roles.
 */
import type { IncomingMessage, ServerResponse } from 'node:http'
import type { Clock } from '../../core/clock.ts'
import { keyedHash } from '../../core/hash.ts'
import { randomText } from '../../core/ids.ts'
import type { StateStore } from '../../state/state-store.ts'
import type { StoredBrowserSession } from '../../state/state-values.ts'
import type { Cookies } from './cookies.ts'
import type { BrowserSession } from './sign-in.ts'

/** In milliseconds. */
export interface Lifetimes {
  /** Without being used. */
  readonly idleMs: number
  /** Since signing in, used or not. */
  readonly longestMs: number
}

export interface SessionParts {
  readonly state: StateStore
  readonly clock: Clock
  /** Of the installation; for keyed hashes. */
  readonly secret: Uint8Array
  readonly lifetimes: () => Lifetimes
  readonly cookies: () => Cookies
  /** Roles of a person as they are now; undefined when a session of that moment is not good any more: its person was shut out, is gone, or signs in otherwise now. */
  readonly rolesOf: (session: Pick<BrowserSession, 'person' | 'issuer' | 'signedInAt'>) => Promise<readonly string[] | undefined>
}

/** Name of the cookie, without its start (`Cookies`). */
export const sessionCookie = 'session'
const tokenLength = 43
const tokenText = /^[0-9A-Za-z]{43}$/
/** Most that one person has at a time; beyond it the oldest ends. */
const mostOfPerson = 20

export class BrowserSessions {
  readonly #parts: SessionParts
  /** Requests that have counted as use of a session: one that goes on for hours does so once. */
  readonly #counted = new WeakSet<IncomingMessage>()

  constructor(parts: SessionParts) {
    this.#parts = parts
  }

  /** Who is signed in in this browser. */
  async current(request: IncomingMessage): Promise<BrowserSession | undefined> {
    const { state, clock, rolesOf } = this.#parts
    const id = this.#idOf(request)
    const stored = id === undefined ? undefined : await state.get('browser', id)
    if (id === undefined || stored === undefined || this.#endOf(stored) <= clock.now()) return undefined
    const { person, issuer, signedInAt } = stored
    // What is not on the list of its person was ended, even if it is still there.
    const ofPerson = await state.get('browsers', this.#personKey(person))
    if (ofPerson?.includes(id) !== true) return undefined
    const roles = await rolesOf({ person, issuer, signedInAt })
    // Whoever may do more than when they signed in signs in again.
    if (roles === undefined || roles.some((role) => !stored.roles.includes(role))) return undefined
    if (!this.#counted.has(request)) await this.#use(id, stored)
    this.#counted.add(request)
    return { id, person, issuer, signedInAt, roles }
  }

  /** Signs a person in: the session before ends, whoever's it was, and another text goes out with the answer. */
  async begin(
    request: IncomingMessage,
    response: ServerResponse,
    { person, issuer }: Pick<BrowserSession, 'person' | 'issuer'>,
  ): Promise<BrowserSession | undefined> {
    const { state, clock, secret, lifetimes, cookies, rolesOf } = this.#parts
    await this.end(request, response)
    const now = clock.now()
    const roles = await rolesOf({ person, issuer, signedInAt: now })
    if (roles === undefined) return undefined
    const token = randomText(tokenLength)
    const id = keyedHash(secret, 'browser session v1', token)
    const stored: StoredBrowserSession = { person, issuer, signedInAt: now, usedAt: now, roles }
    await state.put('browser', id, stored, this.#endOf(stored))
    const dropped = await state.change('browsers', this.#personKey(person), (before = []) => {
      const all = [...before, id]
      return { value: all.slice(-mostOfPerson), expires: now + lifetimes().longestMs, result: all.slice(0, -mostOfPerson) }
    })
    for (const one of dropped) await this.#forget(one)
    cookies().set(response, sessionCookie, token)
    return { id, person, issuer, signedInAt: now, roles }
  }

  /** Signs out in this browser. */
  async end(request: IncomingMessage, response: ServerResponse): Promise<void> {
    const id = this.#idOf(request)
    if (id === undefined) return
    this.#parts.cookies().remove(response, sessionCookie)
    const stored = await this.#parts.state.get('browser', id)
    if (stored === undefined) return
    await this.#forget(id)
    await this.#parts.state.change('browsers', this.#personKey(stored.person), (before = []) => {
      const value = before.filter((one) => one !== id)
      return { value: value.length === 0 ? undefined : value, expires: this.#latestEnd(), result: undefined }
    })
  }

  /** Ends every session of a person. Resolves with how many there were. */
  async endAll(person: string): Promise<number> {
    const ended = await this.#parts.state.change('browsers', this.#personKey(person), (before = []) => ({
      value: undefined,
      expires: this.#latestEnd(),
      result: before,
    }))
    for (const id of ended) await this.#forget(id)
    return ended.length
  }

  async #use(id: string, stored: StoredBrowserSession): Promise<void> {
    const { state, clock, lifetimes } = this.#parts
    const now = clock.now()
    if (now - stored.usedAt < Math.min(60_000, lifetimes().idleMs / 10)) return
    await state.change('browser', id, (before) => {
      // It was ended meanwhile.
      if (before === undefined) return { value: undefined, expires: now, result: undefined }
      const value = { ...before, usedAt: Math.max(now, before.usedAt) }
      return { value, expires: this.#endOf(value), result: undefined }
    })
  }

  async #forget(id: string): Promise<void> {
    const now = this.#parts.clock.now()
    await this.#parts.state.change('browser', id, () => ({ value: undefined, expires: now, result: undefined }))
  }

  #endOf({ signedInAt, usedAt }: StoredBrowserSession): number {
    const { idleMs, longestMs } = this.#parts.lifetimes()
    return Math.min(usedAt + idleMs, signedInAt + longestMs)
  }

  #latestEnd(): number {
    return this.#parts.clock.now() + this.#parts.lifetimes().longestMs
  }

  #idOf(request: IncomingMessage): string | undefined {
    const token = this.#parts.cookies().read(request, sessionCookie)
    return token === undefined || !tokenText.test(token) ? undefined : keyedHash(this.#parts.secret, 'browser session v1', token)
  }

  #personKey(person: string): string {
    return keyedHash(this.#parts.secret, 'browser sessions of v1', person)
  }
}
