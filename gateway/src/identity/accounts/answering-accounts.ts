/** What the pages of local accounts do: signing in with a password and a code, and setting both with a link. */
import type { IncomingMessage, ServerResponse } from 'node:http'
import { TurnwardError } from '../../core/error.ts'
import { readForm } from '../browser/forms.ts'
import { html } from '../browser/html.ts'
import { consoleStart, ownPath, startPage } from '../browser/own-path.ts'
import { answerPage } from '../browser/page.ts'
import type { SigningIn } from '../browser/signing-in.ts'
import { recoveryPage, setPasswordPage } from './account-pages.ts'
import type { Accounts } from './accounts.ts'

export interface AccountAnswerParts {
  readonly accounts: Accounts
  readonly signingIn: SigningIn
  /** Whether there are accounts of ours, and whether they need one-time codes. */
  readonly isOffered: () => boolean
  readonly needsCode: () => boolean
}

/** What is told on the page of the form; everything else is a page of its own. */
const toldOnTheForm: ReadonlySet<string> = new Set(['auth.wrong_sign_in', 'auth.too_many_attempts', 'auth.busy', 'auth.no_second_factor'])

export class AccountAnswers {
  readonly #parts: AccountAnswerParts

  constructor(parts: AccountAnswerParts) {
    this.#parts = parts
  }

  /** `POST /sign-in`. */
  async answerSignIn(request: IncomingMessage, response: ServerResponse): Promise<void> {
    const { accounts, signingIn } = this.#parts
    this.#requireOffered()
    const form = await readForm(request)
    signingIn.checkGuest(request, form)
    const [name, password, code] = ['name', 'password', 'code'].map((field) => (form.get(field) ?? '').slice(0, 1024))
    const returnTo = ownPath(form.get('return'))
    try {
      const address = request.socket.remoteAddress ?? ''
      const person = await accounts.signIn({ name: (name ?? '').trim(), password: password ?? '', code: (code ?? '').trim(), address })
      await signingIn.begin(request, response, person, null)
    } catch (error) {
      if (!(error instanceof TurnwardError) || !toldOnTheForm.has(error.code)) throw error
      if (error.retryAfterSeconds !== undefined) response.setHeader('retry-after', error.retryAfterSeconds)
      const wait = error.code === 'auth.too_many_attempts' ? ` In ${waitText(error.retryAfterSeconds ?? 0)}.` : ''
      signingIn.answerChoice(request, response, error.status, {
        returnTo,
        fresh: false,
        problem: `${error.message}${wait}`,
        name: (name ?? '').slice(0, 63),
      })
      return
    }
    // Not a redirect: where it leads may lead on, out of here, which `form-action` would forbid.
    answerPage(response, 200, { title: 'You are signed in', body: html`<p>One moment.</p>`, onward: returnTo })
  }

  /** `GET /set-password/{token}`: uses nothing up, because programs look at links too. */
  async answerLink(request: IncomingMessage, response: ServerResponse, token: string): Promise<void> {
    this.#requireOffered()
    await this.#answerForm(request, response, 200, token, {})
  }

  /** `POST /set-password/{token}`. */
  async answerSet(request: IncomingMessage, response: ServerResponse, token: string): Promise<void> {
    const { accounts, signingIn } = this.#parts
    this.#requireOffered()
    const form = await readForm(request)
    signingIn.checkGuest(request, form)
    const field = (name: string): string => (form.get(name) ?? '').slice(0, 1024)
    const kept = { name: field('name').trim(), sealedTotp: field('totp') }
    if (field('password') !== field('again')) {
      await this.#answerForm(request, response, 400, token, { ...kept, problem: 'The two passwords are not the same.' })
      return
    }
    const used = await accounts.useLink(token, { ...kept, password: field('password'), code: field('code').replaceAll(' ', '') })
    if ('problem' in used) {
      await this.#answerForm(request, response, 400, token, { ...kept, problem: used.problem })
      return
    }
    await signingIn.begin(request, response, used.person, null)
    // The first administrator has everything to set up: the console says what, and in which order.
    const onward = used.isFirst ? consoleStart : startPage
    if (used.recovery.length > 0) answerPage(response, 200, recoveryPage(used.recovery, onward))
    else answerPage(response, 200, { title: 'You are signed in', body: html`<p>One moment.</p>`, onward })
  }

  async #answerForm(
    request: IncomingMessage,
    response: ServerResponse,
    status: number,
    token: string,
    { name = '', sealedTotp, problem }: { readonly name?: string; readonly sealedTotp?: string; readonly problem?: string },
  ): Promise<void> {
    const { accounts, signingIn, needsCode } = this.#parts
    const link = await accounts.findLink(token)
    if (link === undefined) throw new TurnwardError('auth.link_used')
    // The same secret again after a mistake: it is in the app already.
    const secret = (sealedTotp === undefined ? undefined : accounts.codes.open(sealedTotp, token)) ?? accounts.codes.newSecret()
    const page = setPasswordPage({
      person: link.person,
      name: name.slice(0, 63),
      guestField: signingIn.guestField(request, response),
      secret,
      otpAddress: accounts.codes.addressOf(secret, link.person ?? 'first administrator'),
      sealedSecret: accounts.codes.seal(secret, token),
      needsCode: needsCode(),
      problem,
    })
    answerPage(response, status, page)
  }

  #requireOffered(): void {
    if (!this.#parts.isOffered())
      throw new TurnwardError('request.not_found', { why: 'this gateway has no accounts of its own (`identity.sign_in.local`)' })
  }
}

function waitText(seconds: number): string {
  const minutes = Math.ceil(seconds / 60)
  return minutes === 1 ? 'one minute' : `${minutes} minutes`
}
