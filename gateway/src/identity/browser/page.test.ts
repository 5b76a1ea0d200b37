import { createServer, type RequestListener } from 'node:http'
import type { AddressInfo } from 'node:net'
import { describe, expect, test } from 'vitest'
import { html, type Html } from './html.ts'
import { answerPage, answerRedirect, pageEntrance } from './page.ts'

async function answerOf(handle: RequestListener, method = 'GET'): Promise<Response & { readonly body: unknown }> {
  const server = createServer(handle)
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve))
  try {
    const { port } = server.address() as AddressInfo
    const answer = await fetch(`http://127.0.0.1:${port}/`, { method, redirect: 'manual' })
    return new Response(method === 'HEAD' ? null : await answer.text(), answer)
  } finally {
    server.close()
    server.closeAllConnections()
  }
}

describe('HTML', () => {
  test('escapes what is put into it', () => {
    const name = `</p><script>alert("1")</script>&'\``
    expect(html`<p title="${name}">${name}</p>`.toString()).toBe(
      `<p title="${'&lt;/p&gt;&lt;script&gt;alert(&quot;1&quot;)&lt;/script&gt;&amp;&#39;&#96;'}">&lt;/p&gt;&lt;script&gt;alert(&quot;1&quot;)&lt;/script&gt;&amp;&#39;&#96;</p>`,
    )
  })

  test('takes HTML, lists, numbers and nothing as what they are', () => {
    const items = ['a<b', 'c'].map((item) => html`<li>${item}</li>`)
    expect(
      html`<ul>
        ${items}${undefined}${3}
      </ul>`
        .toString()
        .replaceAll(/\s+/g, ''),
    ).toBe('<ul><li>a&lt;b</li><li>c</li>3</ul>')
  })

  test('takes nothing for HTML that was not made by it', () => {
    const forged = { toString: () => '<script>' } as unknown as Html
    expect(() => html`${forged}`).toThrow()
    expect(html`${[['<b>']]}`.toString()).toBe('&lt;b&gt;')
  })
})

describe('a page', () => {
  const page = { title: 'Sign in <here>', body: html`<p>Hello</p>` }

  test('is never kept, framed, or let run anything', async () => {
    const { headers, status } = await answerOf((_request, response) => answerPage(response, 403, page))
    expect(status).toBe(403)
    expect(headers.get('cache-control')).toBe('no-store')
    expect(headers.get('x-content-type-options')).toBe('nosniff')
    expect(headers.get('x-frame-options')).toBe('DENY')
    expect(headers.get('referrer-policy')).toBe('same-origin')
    const policy = headers.get('content-security-policy') ?? ''
    expect(policy).toContain("default-src 'none'")
    expect(policy).toContain("frame-ancestors 'none'")
    expect(policy).toContain("form-action 'self'")
    expect(policy).not.toContain('unsafe')
  })

  test('has its title escaped, the style sheet, and no script or style of its own', async () => {
    const text = await (await answerOf((_request, response) => answerPage(response, 200, page))).text()
    expect(text).toMatch(/^<!doctype html>\n<html lang="en">/)
    expect(text).toContain('<title>Sign in &lt;here&gt; · Turnward</title>')
    expect(text).toContain(`<link rel="stylesheet" href="${pageEntrance.path}" />`)
    expect(text).not.toMatch(/<script|<style|style=|\son[a-z]+=/)
  })

  test('leads on by itself, and for whoever must click', async () => {
    const onward = '/oauth/authorize?a=1&b="2"'
    const text = await (await answerOf((_request, response) => answerPage(response, 200, { ...page, onward }))).text()
    expect(text).toContain('<meta http-equiv="refresh" content="0;url=/oauth/authorize?a=1&amp;b=&quot;2&quot;" />')
    expect(text).toContain('<a href="/oauth/authorize?a=1&amp;b=&quot;2&quot;">Continue</a>')
  })

  test('has no body for HEAD, and cookies that were set before', async () => {
    const answer = await answerOf((_request, response) => {
      response.setHeader('set-cookie', 'a=b')
      answerPage(response, 200, page)
    }, 'HEAD')
    expect(answer.headers.getSetCookie()).toEqual(['a=b'])
  })

  test('a redirect is seen by nobody but the browser', async () => {
    const { status, headers } = await answerOf((_request, response) => answerRedirect(response, '/sign-in'))
    expect([status, headers.get('location'), headers.get('cache-control')]).toEqual([303, '/sign-in', 'no-store'])
  })
})

test('the style sheet is kept for ever, under a name that says what it is', async () => {
  expect(pageEntrance.path).toMatch(/^\/assets\/page-[0-9a-f]{12}\.css$/)
  const answer = await answerOf((request, response) => pageEntrance.handle(request, response))
  expect(answer.headers.get('content-type')).toBe('text/css; charset=utf-8')
  expect(answer.headers.get('cache-control')).toContain('immutable')
  expect(await answer.text()).toContain('light-dark(')
})
