/** The pages of local accounts: setting what one signs in with, and the recovery codes, which are shown once. Pure. */
import { html, type Html } from '../browser/html.ts'
import type { Page } from '../browser/page.ts'
import { problemText } from '../browser/sign-in-pages.ts'
import { leastPasswordLength } from './passwords.ts'
import { qrCode } from './qr-code.ts'

export interface SetPasswordForm {
  /** Id of the person; undefined for the first administrator, who chooses it. */
  readonly person: string | undefined
  /** What was written in the field of the name. */
  readonly name: string
  readonly guestField: Html
  /** Secret of the one-time codes, base32, and what applications read. */
  readonly secret: string
  readonly otpAddress: string
  readonly sealedSecret: string
  readonly needsCode: boolean
  readonly problem?: string | undefined
}

export function setPasswordPage(form: SetPasswordForm): Page {
  const { person, name, guestField, secret, otpAddress, sealedSecret, needsCode, problem } = form
  const spaced = secret.match(/.{1,4}/g)?.join(' ')
  return {
    title: person === undefined ? 'Make the first administrator' : 'Set your password',
    body: html`${problemText(problem)}
      <form method="post">
        ${guestField}<input type="hidden" name="totp" value="${sealedSecret}" />
        ${
          person === undefined
            ? html`<label for="name">Name of the account</label>
                <input
                  id="name"
                  name="name"
                  value="${name}"
                  autocomplete="username"
                  autocapitalize="none"
                  spellcheck="false"
                  required
                  maxlength="63"
                />`
            : html`<p>For the account <strong>${person}</strong>.</p>
                <input type="hidden" name="name" value="${person}" autocomplete="username" />`
        }
        <label for="password">New password</label>
        <input
          id="password"
          name="password"
          type="password"
          autocomplete="new-password"
          required
          minlength="${leastPasswordLength}"
          maxlength="256"
          aria-describedby="password-hint"
        />
        <p class="hint" id="password-hint">
          At least ${leastPasswordLength} characters. A few words that mean something only to you are good.
        </p>
        <label for="again">New password, again</label>
        <input id="again" name="again" type="password" autocomplete="new-password" required maxlength="256" />
        <h2>One-time codes</h2>
        <p>
          ${needsCode ? 'Scan this with an authenticator app, and write the code that it shows below.' : 'If you like (we recommend it): scan this with an authenticator app, and write the code that it shows below.'}
        </p>
        ${qrCode(otpAddress, 'QR code with the secret that is written below it')}
        <p class="quiet">Or type it in: <span class="code">${spaced}</span></p>
        <label for="code">Code from your app</label>
        <input
          id="code"
          name="code"
          inputmode="numeric"
          autocomplete="one-time-code"
          pattern="[0-9 ]*"
          maxlength="7"
          ${needsCode ? html`required` : undefined}
        />
        <button>Save and sign in</button>
      </form>`,
  }
}

export function recoveryPage(codes: readonly string[], onwardTo: string): Page {
  return {
    title: 'Keep your recovery codes',
    body: html`<p>
        You are signed in. If you lose the device with the app, each of these signs you in once in the place of a code. They are shown only
        now: print them, or keep them where your passwords are.
      </p>
      <ul class="codes">
        ${codes.map((code) => html`<li><code>${code}</code></li>`)}
      </ul>
      <p><a class="button" href="${onwardTo}">I have kept them</a></p>`,
  }
}
