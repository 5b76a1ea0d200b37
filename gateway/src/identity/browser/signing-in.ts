/**
 * Signing in and out with a browser: at an issuer, or with an account of ours. What every other part sees of it is `SignIn`.
 */
import type { IncomingMessage, ServerResponse } from 'node:http'
import { TurnwardError } from '../../core/error.ts'
import type { Clock } from '../../core/clock.ts'
import { randomText } from '../../core/ids.ts'
import type { JsonObject } from '../../core/json.ts'
import { Cookies } from './cookies.ts'
import { FormTokens, readForm } from './forms.ts'
import { html, type Html } from './html.ts'
import { AskedIssuers } from './oidc/asked.ts'
import type { LoginIssuer } from './oidc/login-issuer.ts'
import type { IssuerTokens, RelyingParties } from './oidc/relying-parties.ts'
import { ownPath, startPage } from './own-path.ts'
import { answerPage, answerRedirect } from './page.ts'
import type { BrowserSessions } from './sessions.ts'
import type { BrowserSession, ScriptSessions, SignIn } from './sign-in.ts'
import { choicePage, nobodyPage, signedInPage, signedOutPage } from './sign-in-pages.ts'

export interface SigningInParts {
  readonly sessions: BrowserSessions
  readonly relyingParties: RelyingParties
  readonly clock: Clock
  /** Of the installation; for keyed hashes and seals. */
  readonly secret: Uint8Array
  readonly publicUrl: () => string
  /** Those that people sign in with, by name. */
  readonly issuers: () => ReadonlyMap<string, LoginIssuer>
  /** The principal whom the claims of an ID token mean. Rejects with `auth.*` where it is nobody who may come in. */
  readonly personOf: (issuer: LoginIssuer, claims: JsonObject) => Promise<string>
  /** Keeps what an issuer gave, for exchanges there. */
  readonly keepTokens: (person: string, issuer: string, tokens: IssuerTokens) => Promise<void>
  /** Whether there are accounts of ours. */
  readonly hasAccounts: () => boolean
}

export class SigningIn implements SignIn, ScriptSessions {
  readonly #parts: SigningInParts
  readonly #forms: FormTokens
  readonly #asked: AskedIssuers

  constructor(parts: SigningInParts) {
    this.#parts = parts
    this.#forms = new FormTokens(parts.secret)
    this.#asked = new AskedIssuers(parts.secret, parts.clock)
  }

  current(request: IncomingMessage): Promise<BrowserSession | undefined> {
    return this.#parts.sessions.current(request)
  }

  startPath(returnTo: string, { issuer, fresh }: { readonly issuer?: string; readonly fresh?: boolean } = {}): string {
    const query = new URLSearchParams()
    if (ownPath(returnTo) !== startPage) query.set('return', returnTo)
    if (fresh === true) query.set('fresh', 'yes')
    const text = query.toString()
    // Accounts of ours are on the page of all ways.
    const path = issuer === undefined || issuer === 'local' ? startPage : `${startPage}/${encodeURIComponent(issuer)}`
    return text === '' ? path : `${path}?${text}`
  }

  csrfField({ id }: BrowserSession): Html {
    return this.#forms.field(id)
  }

  checkCsrf(request: IncomingMessage, form: URLSearchParams, { id }: BrowserSession): void {
    this.#forms.check(request, form, id, this.#parts.publicUrl())
  }

  requestToken({ id }: BrowserSession): string {
    return this.#forms.token(id)
  }

  checkRequest(request: IncomingMessage, { id }: BrowserSession): void {
    this.#forms.checkHeader(request, id, this.#parts.publicUrl())
  }

  /** `GET /sign-in`: every way there is, the only one at once, or who is signed in. */
  async answerStart(request: IncomingMessage, response: ServerResponse): Promise<void> {
    if (this.#leadsToOwnHost(request, response)) return
    const { returnTo, fresh } = wishesOf(request)
    const session = fresh ? undefined : await this.current(request)
    if (session !== undefined) {
      if (returnTo !== startPage) answerRedirect(response, returnTo)
      else answerPage(response, 200, signedInPage(session, this.csrfField(session)))
      return
    }
    const [only, another] = this.#parts.issuers().values()
    if (only !== undefined && another === undefined && !this.#parts.hasAccounts())
      answerRedirect(response, this.startPath(returnTo, { issuer: only.name, fresh }))
    else this.answerChoice(request, response, 200, { returnTo, fresh })
  }

  /** The page of all ways, with what went wrong on the last. */
  answerChoice(
    request: IncomingMessage,
    response: ServerResponse,
    status: number,
    {
      returnTo,
      fresh,
      problem,
      name,
    }: { readonly returnTo: string; readonly fresh: boolean; readonly problem?: string; readonly name?: string },
  ): void {
    const issuers = [...this.#parts.issuers().values()].map(({ name: issuer }) => ({
      title: issuer,
      path: this.startPath(returnTo, { issuer, fresh }),
    }))
    const form = this.#parts.hasAccounts() ? accountForm(this.guestField(request, response), returnTo, name) : undefined
    if (issuers.length === 0 && form === undefined) answerPage(response, 404, nobodyPage())
    else answerPage(response, status, choicePage({ issuers, form, problem }))
  }

  /** `GET /sign-in/{issuer}`: on to the issuer. */
  async answerIssuer(request: IncomingMessage, response: ServerResponse, name: string): Promise<void> {
    if (this.#leadsToOwnHost(request, response)) return
    const issuer = this.#issuer(name)
    const { returnTo, fresh } = wishesOf(request)
    const { url, ...question } = await this.#parts.relyingParties.ask(issuer, this.#callbackOf(issuer), fresh)
    this.#asked.keep(request, response, new Cookies(this.#parts.publicUrl()), { ...question, issuer: issuer.name, returnTo })
    answerRedirect(response, url)
  }

  /** `GET /sign-in/{issuer}/callback`: back from the issuer. */
  async answerCallback(request: IncomingMessage, response: ServerResponse, name: string): Promise<void> {
    const { relyingParties, publicUrl, personOf, keepTokens } = this.#parts
    const issuer = this.#issuer(name)
    const callback = new URL(this.#callbackOf(issuer))
    callback.search = new URL(request.url ?? '/', publicUrl()).search
    const state = callback.searchParams.get('state') ?? ''
    const asked = this.#asked.take(request, response, new Cookies(publicUrl()), issuer.name, state)
    if (asked === undefined)
      throw new TurnwardError('auth.sign_in_failed', {
        subject: issuer.name,
        why: 'this browser did not ask for it, or that was too long ago',
      })
    const { claims, tokens } = await relyingParties.answer(issuer, callback, asked)
    const person = await personOf(issuer, claims)
    await keepTokens(person, issuer.name, tokens)
    await this.begin(request, response, person, issuer.name)
    answerRedirect(response, asked.returnTo)
  }

  /** Signs a person in in this browser. Rejects with `auth.disabled`. */
  async begin(request: IncomingMessage, response: ServerResponse, person: string, issuer: string | null): Promise<BrowserSession> {
    const session = await this.#parts.sessions.begin(request, response, { person, issuer })
    if (session === undefined) throw new TurnwardError('auth.disabled', { subject: person })
    return session
  }

  /** `POST /sign-out`. */
  async answerSignOut(request: IncomingMessage, response: ServerResponse): Promise<void> {
    const form = await readForm(request)
    const session = await this.current(request)
    if (session !== undefined) {
      this.checkCsrf(request, form, session)
      if (form.get('everywhere') === 'yes') await this.#parts.sessions.endAll(session.person)
      await this.#parts.sessions.end(request, response)
    }
    answerPage(response, 200, signedOutPage())
  }

  /** The hidden field of a form for somebody who is not signed in, and the cookie that it is bound to. */
  guestField(request: IncomingMessage, response: ServerResponse): Html {
    const cookies = new Cookies(this.#parts.publicUrl())
    const known = cookies.read(request, guestCookie)
    const guest = known !== undefined && guestText.test(known) ? known : randomText(43)
    if (guest !== known) cookies.set(response, guestCookie, guest)
    return this.#forms.field(`guest ${guest}`)
  }

  /** Throws `auth.foreign_form` as `checkCsrf` does. */
  checkGuest(request: IncomingMessage, form: URLSearchParams): void {
    const guest = new Cookies(this.#parts.publicUrl()).read(request, guestCookie) ?? ''
    if (!guestText.test(guest)) throw new TurnwardError('auth.foreign_form', { why: 'the browser has sent no cookie of this gateway' })
    this.#forms.check(request, form, `guest ${guest}`, this.#parts.publicUrl())
  }

  #issuer(name: string): LoginIssuer {
    const issuer = this.#parts.issuers().get(name)
    if (issuer === undefined) throw new TurnwardError('request.not_found', { why: 'nobody signs in with an issuer of this name' })
    return issuer
  }

  #callbackOf({ name }: LoginIssuer): string {
    return `${this.#parts.publicUrl()}/sign-in/${encodeURIComponent(name)}/callback`
  }

  /** On this machine `localhost` and `127.0.0.1` are two hosts to a browser, and its cookies are for one of them. */
  #leadsToOwnHost(request: IncomingMessage, response: ServerResponse): boolean {
    const own = new URL(this.#parts.publicUrl())
    const asked = URL.parse(`http://${request.headers.host ?? ''}`)
    if (own.protocol !== 'http:' || asked === null || asked.host === own.host || !loopbackHosts.has(asked.hostname)) return false
    answerRedirect(response, `${own.origin}${ownPath(request.url)}`)
    return true
  }
}

const loopbackHosts: ReadonlySet<string> = new Set(['localhost', '127.0.0.1', '[::1]'])
const guestCookie = 'guest'
const guestText = /^[0-9A-Za-z]{43}$/

function wishesOf(request: IncomingMessage): { readonly returnTo: string; readonly fresh: boolean } {
  const { searchParams } = new URL(request.url ?? '/', 'http://own.invalid')
  return { returnTo: ownPath(searchParams.get('return')), fresh: searchParams.get('fresh') === 'yes' }
}

function accountForm(guestField: Html, returnTo: string, name = ''): Html {
  return html`<form method="post" action="/sign-in">
    ${guestField}<input type="hidden" name="return" value="${returnTo}" />
    <label for="name">Account</label>
    <input id="name" name="name" value="${name}" autocomplete="username" autocapitalize="none" spellcheck="false" required maxlength="63" />
    <label for="password">Password</label>
    <input id="password" name="password" type="password" autocomplete="current-password" required maxlength="256" />
    <label for="code">Code from your app</label>
    <input id="code" name="code" autocomplete="one-time-code" aria-describedby="code-hint" maxlength="32" />
    <p class="hint" id="code-hint">Six digits, or one of your recovery codes. Leave it empty if your account has none.</p>
    <button>Sign in</button>
  </form>`
}
