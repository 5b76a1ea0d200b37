/** The pages of signing in and out. Pure. */
import { html, type Html } from './html.ts'
import type { Page } from './page.ts'
import type { BrowserSession } from './sign-in.ts'

export interface Choice {
  /** What people are shown, and where it leads. */
  readonly issuers: readonly { readonly title: string; readonly path: string }[]
  /** The form of local accounts; undefined where there are none. */
  readonly form: Html | undefined
  readonly problem?: string | undefined
}

export function choicePage({ issuers, form, problem }: Choice): Page {
  return {
    title: 'Sign in',
    body: html`${problemText(problem)}
    ${issuers.map(({ title, path }) => html`<a class="button" href="${path}">Continue with ${title}</a>`)}
    ${issuers.length > 0 && form !== undefined ? html`<hr />` : undefined} ${form}`,
  }
}

export function nobodyPage(): Page {
  return {
    title: 'Nobody signs in here',
    body: html`<p>
      This gateway has no way to sign in with a browser. Its administrator can set one up: an issuer with a <code>client</code> under
      <code>identity.issuers</code>, or <code>identity.sign_in.local</code>.
    </p>`,
  }
}

export function signedInPage(session: BrowserSession, csrf: Html): Page {
  const { person, issuer, signedInAt, roles } = session
  return {
    title: 'You are signed in',
    body: html`<dl>
        <dt>As</dt>
        <dd>${person}</dd>
        <dt>With</dt>
        <dd>${issuer ?? 'an account of this gateway'}</dd>
        <dt>Since</dt>
        <dd>${timeText(signedInAt)}</dd>
        ${
          roles.length === 0
            ? undefined
            : html`<dt>Roles</dt>
                <dd>${roles.join(', ')}</dd>`
        }
      </dl>
      <p><a class="button" href="/console/">Open the console</a></p>
      <form method="post" action="/sign-out">${csrf}<button>Sign out</button></form>
      <form method="post" action="/sign-out">
        ${csrf}<input type="hidden" name="everywhere" value="yes" /><button class="second">Sign out everywhere</button>
      </form>`,
  }
}

export function signedOutPage(): Page {
  return { title: 'You are signed out', body: html`<p><a class="button" href="/sign-in">Sign in</a></p>` }
}

/** Why something did not work, read out at once by whoever reads pages aloud. */
export function problemText(problem: string | undefined): Html | undefined {
  return problem === undefined ? undefined : html`<p class="problem" role="alert">${problem}</p>`
}

function timeText(at: number): string {
  return `${new Date(at).toISOString().slice(0, 16).replace('T', ' ')} UTC`
}
