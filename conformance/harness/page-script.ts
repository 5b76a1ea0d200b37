/** A script on a page of the gateway: asks `/api` with the cookies of its browser, and proves where it is with what changes something. */
import type { ScriptedBrowser } from './scripted-browser.ts'

export interface ApiAnswer {
  readonly status: number
  readonly text: string
  readonly json: Readonly<Record<string, unknown>>
  /** Of an error. */
  readonly code: string | undefined
}

export class PageScript {
  readonly #url: string
  readonly #browser: ScriptedBrowser
  #form: { readonly header: string; readonly value: string } | undefined

  constructor(url: string, browser: ScriptedBrowser) {
    this.#url = url
    this.#browser = browser
  }

  async ask(method: string, path: string, body?: unknown, headers?: Readonly<Record<string, string>>): Promise<ApiAnswer> {
    const own = headers ?? (method === 'GET' ? {} : await this.#proof())
    const cookie = [...this.#browser.cookies].map(([name, value]) => `${name}=${value}`).join('; ')
    const answer = await fetch(`${this.#url}${path}`, {
      method,
      headers: { cookie, ...own, ...(body === undefined ? {} : { 'content-type': 'application/json' }) },
      ...(body === undefined ? {} : { body: JSON.stringify(body) }),
    })
    const text = await answer.text()
    const json = JSON.parse(text) as Record<string, unknown>
    return { status: answer.status, text, json, code: (json['error'] as { code?: string } | undefined)?.code }
  }

  async #proof(): Promise<Record<string, string>> {
    this.#form ??= (await this.ask('GET', '/api/me')).json['form'] as { header: string; value: string }
    return { origin: new URL(this.#url).origin, 'sec-fetch-site': 'same-origin', [this.#form.header]: this.#form.value }
  }
}
