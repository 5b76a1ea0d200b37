/**
 * The shell of every page we show to people: plain HTML that works without a script, in light and dark, on a telephone. A page
 * is never kept by a browser or a proxy, never shown in a frame, and runs and loads nothing but our style sheet.
 */
import type { IncomingMessage, ServerResponse } from 'node:http'
import { html, type Html } from './html.ts'
import { pageStyle, pageStylePath } from './page-style.ts'

export interface Page {
  readonly title: string
  readonly body: Html
  /** Below the page: who is signed in, and the way out. */
  readonly foot?: Html
  /** Where the browser goes on by itself: a path of ours, or an address that was checked. */
  readonly onward?: string
}

/**
 * What a page may do. `form-action` holds for redirects too, so that a form whose answer leads elsewhere needs a page with
 * `onward` in between.
 */
const contentSecurityPolicy =
  "default-src 'none'; style-src 'self'; img-src data:; form-action 'self'; base-uri 'none'; frame-ancestors 'none'"

const pageHeaders = {
  'content-type': 'text/html; charset=utf-8',
  'cache-control': 'no-store',
  'content-security-policy': contentSecurityPolicy,
  'x-frame-options': 'DENY',
  'x-content-type-options': 'nosniff',
  // Not `no-referrer`: a form of such a page is sent with `Origin: null`, which proves nothing.
  'referrer-policy': 'same-origin',
  'permissions-policy': 'camera=(), geolocation=(), microphone=()',
}

/** Answers with a page in our shell. Headers that were set on the response before, such as cookies, go with it. */
export function answerPage(response: ServerResponse, status: number, page: Page): void {
  response.writeHead(status, pageHeaders).end(`<!doctype html>\n${shell(page).toString()}`)
}

/** Sends the browser on with GET, to a path of ours or an address that was checked. Not the answer of a form: see `onward`. */
export function answerRedirect(response: ServerResponse, location: string): void {
  response.writeHead(303, { location, 'cache-control': 'no-store', 'referrer-policy': 'same-origin' }).end()
}

function shell({ title, body, foot, onward }: Page): Html {
  return html`<html lang="en">
    <head>
      <meta charset="utf-8" />
      <title>${title} · Turnward</title>
      <meta name="viewport" content="width=device-width, initial-scale=1" />
      <meta name="robots" content="noindex" />
      ${onward === undefined ? undefined : html`<meta http-equiv="refresh" content="0;url=${onward}" />`}
      <link rel="icon" href="data:," />
      <link rel="stylesheet" href="${pageStylePath}" />
    </head>
    <body>
      <header>Turnward</header>
      <main>
        <h1>${title}</h1>
        ${body} ${onward === undefined ? undefined : html`<p><a href="${onward}">Continue</a></p>`}
      </main>
      ${foot === undefined ? undefined : html`<footer>${foot}</footer>`}
    </body>
  </html>`
}

/** What serves the style sheet. */
export const pageEntrance = {
  path: pageStylePath,
  methods: ['GET'],
  needs: 'anyone' as const,
  handle: (_request: IncomingMessage, response: ServerResponse): void => {
    const headers = {
      'content-type': 'text/css; charset=utf-8',
      'cache-control': 'public, max-age=31536000, immutable',
      'x-content-type-options': 'nosniff',
    }
    response.writeHead(200, headers).end(pageStyle)
  },
}
