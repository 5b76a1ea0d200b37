/** A browser as far as pages without scripts need one: cookies by origin, redirects, `onward` pages, and forms. */

export interface ShownPage {
  readonly url: string
  readonly status: number
  readonly text: string
}

export class PageBrowser {
  /** By origin. */
  readonly #cookies = new Map<string, Map<string, string>>()

  /** Opens an address and goes where it leads by itself. */
  open(url: string): Promise<ShownPage> {
    return this.#go(url, {})
  }

  /** Sends the first form of the page that has all these fields, with the hidden ones it has. */
  async submit(page: ShownPage, fields: Readonly<Record<string, string>>): Promise<ShownPage> {
    const forms = [...page.text.matchAll(/<form\b([^>]*)>([\s\S]*?)<\/form>/g)].map(([, attributes = '', inside = '']) => ({
      action: /action="([^"]*)"/.exec(attributes)?.[1],
      hidden: Object.fromEntries(
        [...inside.matchAll(/<input\b[^>]*>/g)].flatMap(([input]) => {
          const name = /name="([^"]*)"/.exec(input)?.[1]
          return name === undefined ? [] : [[name, decoded(/value="([^"]*)"/.exec(input)?.[1] ?? '')] as const]
        }),
      ),
    }))
    const form = forms.find(({ hidden }) =>
      Object.entries(fields).every(([name, value]) => name in hidden && (name !== 'action' || hidden[name] === value)),
    )
    if (form === undefined) throw new Error(`no form with ${Object.keys(fields).join(', ')} in: ${page.text.slice(0, 2000)}`)
    return this.#go(new URL(decoded(form.action ?? page.url), page.url).href, {
      method: 'POST',
      body: new URLSearchParams({ ...form.hidden, ...fields }),
      headers: { origin: new URL(page.url).origin, 'sec-fetch-site': 'same-origin' },
    })
  }

  async #go(start: string, init: RequestInit): Promise<ShownPage> {
    let url = start
    let request = init
    for (let step = 0; step < 30; step += 1) {
      const { origin } = new URL(url)
      const jar = this.#cookies.get(origin) ?? new Map<string, string>()
      const cookie = [...jar].map(([name, value]) => `${name}=${value}`).join('; ')
      const answer = await fetch(url, {
        ...request,
        redirect: 'manual',
        headers: { ...(request.headers as Record<string, string> | undefined), ...(cookie === '' ? {} : { cookie }) },
      })
      for (const set of answer.headers.getSetCookie()) {
        const [, name = '', value = ''] = /^([^=]+)=([^;]*)/.exec(set) ?? []
        if (value === '' || /max-age=0\b/i.test(set)) jar.delete(name)
        else jar.set(name, value)
      }
      this.#cookies.set(origin, jar)
      const text = await answer.text()
      const onward = /<meta http-equiv="refresh" content="0;url=([^"]*)"/.exec(text)?.[1]
      const next = answer.headers.get('location') ?? (onward === undefined ? undefined : decoded(onward))
      if (next === undefined) return { url, status: answer.status, text }
      url = new URL(next, url).href
      request = {}
    }
    throw new Error(`it leads nowhere: ${start}`)
  }
}

const references: Readonly<Record<string, string>> = { '&amp;': '&', '&quot;': '"', '&#39;': "'", '&lt;': '<', '&gt;': '>', '&#96;': '`' }

function decoded(text: string): string {
  return text.replaceAll(/&(?:amp|quot|lt|gt|#39|#96);/g, (reference) => references[reference] ?? '')
}
