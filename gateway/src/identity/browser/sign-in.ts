/**
 * Who sits at a browser: what the pages of every other part are told, and how they send a browser to sign in (with
 * `answerRedirect`; the pages themselves go out with `answerPage`, and `pageEntrance` serves their style).
 */
import type { IncomingMessage } from 'node:http'
import type { Html } from './html.ts'

/** A person signed in in one browser. */
export interface BrowserSession {
  /** Opaque, and no secret: not what the cookie carries. */
  readonly id: string
  /** Principal id. */
  readonly person: string
  /** Name of the issuer that was asked; null for a local account. */
  readonly issuer: string | null
  /** Unix milliseconds. */
  readonly signedInAt: number
  /** Roles on the admin side, as they are now. */
  readonly roles: readonly string[]
}

export interface SignIn {
  /**
   * Who is signed in in this browser; undefined for nobody: no cookie, one that is unknown, a session that has expired or was
   * ended, a person who was disabled.
   */
  current(request: IncomingMessage): Promise<BrowserSession | undefined>
  /**
   * Path to send a browser to that must sign in and then return to `returnTo`, a path of ours (anything else leads to the
   * start page). `issuer`: the one to ask, without a choice. `fresh`: signs in again even where somebody is signed in.
   */
  startPath(returnTo: string, options?: { readonly issuer?: string; readonly fresh?: boolean }): string
  /** The hidden field that every form of ours carries. */
  csrfField(session: BrowserSession): Html
  /** Throws `auth.foreign_form` unless the form came from a page of ours in this browser: its token, `Origin` and `Sec-Fetch-Site`. */
  checkCsrf(request: IncomingMessage, form: URLSearchParams, session: BrowserSession): void
}

/** The same session for scripts of our pages, which ask for JSON. */
export interface ScriptSessions extends Pick<SignIn, 'current'> {
  /** What a script sends in the header `x-turnward-form` with whatever changes something. */
  requestToken(session: BrowserSession): string
  /** Throws `auth.foreign_request` unless a request came from a page of ours in this browser: its header, `Origin` and `Sec-Fetch-Site`. */
  checkRequest(request: IncomingMessage, session: BrowserSession): void
}
