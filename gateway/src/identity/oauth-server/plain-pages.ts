/** The smaller pages of the authorization server: what went wrong, and the code that a device shows. Pure. */
import { html } from '../browser/html.ts'
import type { Page } from '../browser/page.ts'
import { oauthRoutes } from './provider-configuration.ts'

/** For an error that cannot be told to the client, because nobody knows where it is. */
export function errorPage({
  error,
  error_description: description,
}: {
  readonly error: string
  readonly error_description?: string | undefined
}): Page {
  return {
    title: 'This cannot go on',
    body: html`<p>${description ?? 'The request of the application is not valid.'}</p>
      <p><code>${error}</code></p>
      <p>Go back to the application and begin again.</p>`,
  }
}

export const expiredPage: Page = {
  title: 'This request has expired',
  body: html`<p>It was answered already, it took too long, or it was begun in another browser.</p>
    <p>Go back to the application and begin again.</p>`,
}

/** `secret`: against forgery, in a cookie of the same browser as well. `code`: what the address said already. */
export function codePage(secret: string, wasWrong: boolean, code = ''): Page {
  return {
    title: 'Connect a device',
    body: html`
      ${wasWrong ? html`<p class="warning">That did not work: the code is wrong, used, or too old.</p>` : undefined}
      <form method="post" action="${oauthRoutes.code_verification}">
        <input type="hidden" name="xsrf" value="${secret}" />
        <label for="user_code">The code your device shows</label>
        <input
          id="user_code"
          name="user_code"
          type="text"
          value="${code}"
          maxlength="40"
          autocomplete="off"
          autocapitalize="characters"
          spellcheck="false"
          required
        />
        <button type="submit">Go on</button>
      </form>
    `,
  }
}

export function confirmCodePage(secret: string, name: string, code: string): Page {
  return {
    title: `Connect ${name}?`,
    body: html`
      <p>Does your device show this code?</p>
      <p><code>${code}</code></p>
      <p class="warning">If somebody sent you the code, do not go on: they would act for you.</p>
      <form method="post" action="${oauthRoutes.code_verification}">
        <input type="hidden" name="xsrf" value="${secret}" />
        <input type="hidden" name="user_code" value="${code}" />
        <button type="submit" name="confirm" value="yes">Go on</button>
        <button class="second" type="submit" name="abort" value="yes">Do not connect</button>
      </form>
    `,
  }
}

export const deviceRefusedPage: Page = {
  title: 'Not connected',
  body: html`<p>The device gets nothing. You can close this page.</p>`,
}

export const deviceDonePage: Page = {
  title: 'Connected',
  body: html`<p>Your device goes on by itself. You can close this page.</p>`,
}
