/** What people read who connect an account: plain words for what will be connected, for whom, and what became of it. Pure. */
import { html, type Html } from '../browser/html.ts'
import type { Page } from '../browser/page.ts'

/** One server as its person sees it. */
export interface ConnectView {
  readonly server: string
  /** Host of the server; empty for one that runs here. */
  readonly host: string
  /** Who is signed in. */
  readonly person: string
  /** Scopes that are asked for; undefined where the server says it. */
  readonly scopes: readonly string[] | undefined
  /** Since when there is an account or a secret (Unix milliseconds). */
  readonly since: number | undefined
  /** Where the secret is found, in the words of the configuration; undefined for an account. */
  readonly secret: { readonly help: string | undefined } | undefined
  readonly ticket: string | undefined
  /** Against forms of others. */
  readonly csrf: Html
}

/** Asks for consent, or for the secret. */
export function connectPage(view: ConnectView): Page {
  const { server, host, person, scopes, since, secret } = view
  const what = secret === undefined ? 'account' : 'secret'
  const body = html`<p>
      Agents and applications that call <b>${server}</b>${host === '' ? '' : html` (${host})`} for you through this gateway will use your
      own ${what} there. Nobody else can use it, and no agent gets to see it.
    </p>
    <dl>
      <dt>Signed in here as</dt>
      <dd>${person}</dd>
      ${
        scopes === undefined || scopes.length === 0
          ? undefined
          : html`<dt>It will be asked for</dt>
              <dd>${scopes.join(', ')}</dd>`
      }
      ${
        since === undefined
          ? undefined
          : html`<dt>Connected since</dt>
              <dd>${new Date(since).toISOString().slice(0, 16).replace('T', ' ')} UTC</dd>`
      }
    </dl>
    ${secret === undefined ? accountForm(view) : secretForm(view, secret.help)}
    ${since === undefined ? undefined : form(view, 'disconnect', html`<button class="second">Disconnect</button>`)}
    <p class="quiet">If you did not ask for this, close this page: nothing has been connected.</p>`
  return { title: `Connect ${server}`, body, foot: footOf(person) }
}

function accountForm(view: ConnectView): Html {
  return form(view, 'connect', html`<button>${view.since === undefined ? 'Connect' : 'Connect again'}</button>`)
}

function secretForm(view: ConnectView, help: string | undefined): Html {
  return form(
    view,
    'store',
    html`<label for="secret">Your secret for ${view.server}</label>
      <input id="secret" name="secret" type="password" autocomplete="off" required maxlength="8192" />
      ${help === undefined ? undefined : html`<p class="hint">${help}</p>`}
      <button>${view.since === undefined ? 'Store it' : 'Replace it'}</button>`,
  )
}

function form({ server, ticket, csrf }: Pick<ConnectView, 'server' | 'ticket' | 'csrf'>, action: string, inside: Html): Html {
  return html`<form method="post" action="/connect/${encodeURIComponent(server)}">
    ${csrf}
    <input type="hidden" name="action" value="${action}" />
    ${ticket === undefined ? undefined : html`<input type="hidden" name="for" value="${ticket}" />`} ${inside}
  </form>`
}

/** On the way to the authorization server. */
export function leavingPage(server: string, host: string, url: string): Page {
  return { title: `Connect ${server}`, body: html`<p>You go on to <b>${host}</b>, which asks whether you agree.</p>`, onward: url }
}

/** The browser is somebody else's than the link. */
export function otherPersonPage(server: string, person: string, signInAgain: string): Page {
  const body = html`<p class="problem">This link was made for somebody else. Nothing has been connected.</p>
    <p>
      It connects an account to the agent of another person than <b>${person}</b>, who is signed in here. Whoever sent it to you would
      otherwise use <b>${server}</b> as you.
    </p>
    <a class="button second" href="${signInAgain}">It is mine: sign in as the other person</a>`
  return { title: 'This link is not yours', body, foot: footOf(person) }
}

/** The link is of no use. */
export function oldLinkPage(): Page {
  return {
    title: 'This link is too old',
    body: html`<p class="problem">It was made more than 15 minutes ago, or it was changed on its way. Nothing has been connected.</p>
      <p>Let the agent call the tool again: it gives you a new link.</p>`,
  }
}

/** There is no such server, or none with accounts of people. */
export function nothingToConnectPage(): Page {
  return { title: 'Nothing to connect here', body: html`<p>No server of this name has accounts of people.</p>` }
}

/** Told when something has been done. `since`: what became of it. */
export function donePage(server: string, became: 'connected' | 'stored' | 'removed', person: string): Page {
  const words = {
    connected: html`<p class="note">Your account is connected. You can close this page and go back to your agent.</p>`,
    stored: html`<p class="note">Your secret is stored. You can close this page and go back to your agent.</p>`,
    removed: html`<p class="note">Nothing of yours is kept for ${server} any more. What the server itself knows, you end there.</p>`,
  }
  const titles = { connected: `${server} is connected`, stored: `${server} is connected`, removed: `${server} is disconnected` }
  return { title: titles[became], body: html`${words[became]}${overviewLink}`, foot: footOf(person) }
}

/** It did not work. `why`: words of ours. */
export function failedPage(server: string | undefined, why: string, again: string | undefined): Page {
  const body = html`<p class="problem">${why}</p>
    <p>Nothing has been connected.</p>
    ${again === undefined ? undefined : html`<a class="button second" href="${again}">Try again</a>`}`
  return { title: server === undefined ? 'Not connected' : `${server} is not connected`, body }
}

/** What one person has, and could have. */
export interface OverviewEntry {
  readonly server: string
  /** Unix milliseconds; undefined where nothing is connected. */
  readonly since: number | undefined
}

export function overviewPage(entries: readonly OverviewEntry[], person: string): Page {
  const body =
    entries.length === 0
      ? html`<p>There is no server here that has accounts of people.</p>`
      : html`<ul>
          ${entries.map(
            ({ server, since }) =>
              html`<li>
                <a href="/connect/${encodeURIComponent(server)}">${server}</a>: ${since === undefined ? 'not connected' : 'connected'}
              </li>`,
          )}
        </ul>`
  return { title: 'Your accounts', body, foot: footOf(person) }
}

const overviewLink = html`<p><a href="/connect">All your accounts</a></p>`

function footOf(person: string): Html {
  return html`Signed in as ${person}`
}
