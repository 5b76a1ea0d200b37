import { IncomingMessage } from 'node:http'
import { Socket } from 'node:net'
import { describe, expect, test } from 'vitest'
import { FormTokens, readForm } from './forms.ts'
import { ownPath } from './own-path.ts'

const own = 'https://gateway.example'
const tokens = new FormTokens(Buffer.alloc(32, 3))

function sent(headers: Record<string, string>): IncomingMessage {
  const request = new IncomingMessage(new Socket())
  Object.assign(request.headers, headers)
  return request
}

function formFor(boundTo: string): URLSearchParams {
  const [, value = ''] = /value="([^"]*)"/.exec(tokens.field(boundTo).toString()) ?? []
  return new URLSearchParams({ form: value, more: '1' })
}

const refused = expect.objectContaining({ code: 'auth.foreign_form' })

describe('a form', () => {
  test('is taken from a page of ours in the browser it was given to', () => {
    const form = formFor('session')
    for (const headers of [{ origin: own }, { origin: own, 'sec-fetch-site': 'same-origin' }, { 'sec-fetch-site': 'same-origin' }])
      expect(() => tokens.check(sent(headers), form, 'session', own)).not.toThrow()
  })

  test.each([
    [{}],
    [{ origin: 'https://evil.example' }],
    [{ origin: 'null' }],
    [{ origin: 'http://gateway.example' }],
    [{ origin: 'https://gateway.example:444' }],
    [{ origin: 'https://gateway.example.evil.example' }],
    [{ origin: own, 'sec-fetch-site': 'cross-site' }],
    [{ 'sec-fetch-site': 'same-site' }],
    [{ 'sec-fetch-site': 'none' }],
  ])('is refused from %j', (headers) => {
    expect(() => tokens.check(sent(headers), formFor('session'), 'session', own)).toThrow(refused)
  })

  test('is refused without its token, with that of another browser, and with two', () => {
    const request = sent({ origin: own })
    const both = formFor('session')
    both.append('form', both.get('form') ?? '')
    for (const form of [new URLSearchParams(), formFor('other'), new URLSearchParams({ form: '' }), both])
      expect(() => tokens.check(request, form, 'session', own)).toThrow(refused)
  })

  const body = (headers: Record<string, string>, ...parts: string[]): Promise<URLSearchParams> => {
    const request = sent(headers)
    for (const part of parts) request.push(Buffer.from(part))
    request.push(null)
    return readForm(request)
  }

  test('is read in bounds, and only as what it says it is', async () => {
    const type = 'application/x-www-form-urlencoded'
    expect((await body({ 'content-type': `${type}; charset=utf-8` }, 'a=%C3', '%A4&b=1+2')).toString()).toBe('a=%C3%A4&b=1+2')
    await expect(body({ 'content-type': 'text/plain' }, 'a=1')).rejects.toMatchObject({ code: 'request.malformed' })
    await expect(body({}, 'a=1')).rejects.toMatchObject({ code: 'request.malformed' })
    await expect(body({ 'content-type': type }, 'a='.padEnd(40_000, 'x'), ''.padEnd(40_000, 'x'))).rejects.toMatchObject({
      code: 'request.too_large',
    })
  })
})

describe('where a browser is sent after it signed in', () => {
  test.each(['/', '/connect/jira?x=1&y=%2F#z', '/oauth/interaction/abc', '/a/b..c'])('%s is a path of ours', (path) => {
    expect(ownPath(path)).toBe(path)
  })

  test.each([
    'https://evil.example/',
    '//evil.example',
    '/\\evil.example',
    '\\\\evil.example',
    '/\t/evil.example',
    '/ /evil.example',
    ' //evil.example',
    '/\n/evil.example',
    'javascript:alert(1)',
    '/../..//evil.example',
    '/./\\evil.example',
    '/é',
    '',
    'evil.example',
    `/${'a'.repeat(1100)}`,
    '/..//evil.example',
  ])('%j leads to the start page instead', (path) => {
    expect(ownPath(path)).toBe('/sign-in')
  })

  test('nothing leads there too', () => expect([ownPath(undefined), ownPath(null)]).toEqual(['/sign-in', '/sign-in']))
})
