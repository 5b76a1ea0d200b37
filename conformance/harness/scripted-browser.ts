/**
 * A browser without a screen: keeps cookies as browsers do (by host, not by port), follows redirects and pages that lead on, and
 * sends forms with what they carry. For the real one there are the suites with Chromium.
 */
import { hangsAfterMs } from './until.ts'

export interface ShownPage {
  readonly url: string
  readonly status: number
  readonly headers: Headers
  readonly text: string
  readonly title: string
}

const mostSteps = 20

export class ScriptedBrowser {
  /** Name -> value; one host is enough here. */
  readonly cookies = new Map<string, string>()
  /** Headers that go with every request, over its own. */
  readonly extra: Record<string, string> = {}
  #page: ShownPage | undefined

  /** The page that is shown. */
  get page(): ShownPage {
    if (this.#page === undefined) throw new Error('nothing is shown yet')
    return this.#page
  }

  /** Opens an address; with `follow: false` shows the answer itself. */
  async open(address: string, { follow = true } = {}): Promise<ShownPage> {
    return this.#go(new URL(address, this.#page?.url), { method: 'GET' }, follow)
  }

  /** Opens the link with this text. */
  async click(text: string): Promise<ShownPage> {
    const link = [...this.page.text.matchAll(/<a\b[^>]*href="([^"]*)"[^>]*>([^<]*)<\/a>/g)].find(([, , shown]) => shown?.includes(text))
    if (link === undefined) throw new Error(`no link \`${text}\` on ${this.page.title}`)
    return this.open(unescaped(link[1] ?? ''))
  }

  /** Fills in a form of the page (the one whose button has this text) and sends it; undefined leaves a field out. */
  async send(button: string, fields: Readonly<Record<string, string | undefined>> = {}): Promise<ShownPage> {
    const form = [...this.page.text.matchAll(/<form\b([^>]*)>([\s\S]*?)<\/form>/g)].find(([, , inside]) => inside?.includes(button))
    if (form === undefined) throw new Error(`no form with \`${button}\` on ${this.page.title}: ${this.page.text}`)
    const [, attributes = '', inside = ''] = form
    const body = new URLSearchParams()
    for (const [input] of inside.matchAll(/<input\b[^>]*>/g)) {
      const name = attribute(input, 'name')
      if (name !== undefined) body.set(name, attribute(input, 'value') ?? '')
    }
    for (const [name, value] of Object.entries(fields))
      if (value === undefined) body.delete(name)
      else body.set(name, value)
    const action = new URL(attribute(attributes, 'action') ?? this.page.url, this.page.url)
    const origin = new URL(this.page.url).origin
    const headers = {
      origin,
      'sec-fetch-site': origin === action.origin ? 'same-origin' : 'cross-site',
      'content-type': 'application/x-www-form-urlencoded',
    }
    return this.#go(action, { method: 'POST', headers, body: body.toString() }, true)
  }

  async #go(
    address: URL,
    asked: { readonly method: string; readonly headers?: Record<string, string>; readonly body?: string },
    follow: boolean,
  ): Promise<ShownPage> {
    let [url, next] = [address, asked]
    for (let step = 0; step < mostSteps; step += 1) {
      const cookie = [...this.cookies].map(([name, value]) => `${name}=${value}`).join('; ')
      const headers = { ...next.headers, ...(cookie === '' ? {} : { cookie }), ...this.extra }
      const answer = await fetch(url, { ...next, headers, redirect: 'manual', signal: AbortSignal.timeout(hangsAfterMs) })
      for (const text of answer.headers.getSetCookie()) this.#keep(text)
      const text = await answer.text()
      this.#page = {
        url: url.href,
        status: answer.status,
        headers: answer.headers,
        text,
        title: /<title>([^<]*)<\/title>/.exec(text)?.[1] ?? '',
      }
      const location = answer.headers.get('location') ?? refreshOf(text)
      if (!follow || location === undefined || location === null) return this.#page
      url = new URL(location, url)
      next = { method: 'GET' }
    }
    throw new Error(`more than ${mostSteps} steps from ${address.href}`)
  }

  #keep(text: string): void {
    const [, name = '', value = ''] = /^([^=]+)=([^;]*)/.exec(text) ?? []
    const isGone = /max-age=0(?:;|$)/i.test(text) || /expires=Thu, 01 Jan 1970/i.test(text)
    if (isGone) this.cookies.delete(name)
    else this.cookies.set(name, value)
  }
}

function refreshOf(text: string): string | undefined {
  const content = /<meta http-equiv="refresh" content="0;url=([^"]*)"/.exec(text)?.[1]
  return content === undefined ? undefined : unescaped(content)
}

function attribute(tag: string, name: string): string | undefined {
  const value = new RegExp(`\\b${name}="([^"]*)"`).exec(tag)?.[1]
  return value === undefined ? undefined : unescaped(value)
}

function unescaped(text: string): string {
  return text
    .replaceAll('&quot;', '"')
    .replaceAll('&#39;', "'")
    .replaceAll('&#96;', '`')
    .replaceAll('&lt;', '<')
    .replaceAll('&gt;', '>')
    .replaceAll('&amp;', '&')
}
