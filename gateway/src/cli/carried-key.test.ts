import type { IncomingMessage } from 'node:http'
import { describe, expect, test } from 'vitest'
import { presentedKey } from '../identity/ways/key/presented-key.ts'
import { gemini } from '../wire/dialects/gemini/gemini.ts'
import { messages } from '../wire/dialects/messages/messages.ts'
import { settleKey } from './carried-key.ts'

const request = (url: string, headers: Record<string, string> = {}): IncomingMessage =>
  ({ url, headers: { ...headers } }) as unknown as IncomingMessage
const settled = (given: IncomingMessage): IncomingMessage => {
  settleKey(given, gemini)
  return given
}

describe('a key that a client sends as its vendor has it', () => {
  test.each([
    ['/v1beta/models/m:generateContent?key=tw_a', {}, '/v1beta/models/m:generateContent'],
    ['/m?alt=sse&key=tw_a', {}, '/m?alt=sse'],
    ['/m?key=tw%5Fa&alt=sse&key=tw_a', {}, '/m?alt=sse'],
    ['/m?k%65y=tw_a', {}, '/m'],
    ['/m', { 'x-goog-api-key': 'tw_a' }, '/m'],
    ['/m?key=', { 'x-goog-api-key': 'tw_a' }, '/m'],
  ] as [string, Record<string, string>, string][])('%s: is found where keys are looked for, and is in no address', (url, headers, left) => {
    const given = settled(request(url, headers))
    expect(given.url).toBe(left)
    expect(presentedKey(given.headers)).toBe('tw_a')
    for (const ignored of ['authorization', 'x-api-key'] as const) expect(presentedKey(given.headers, [ignored])).toBe('tw_a')
  })

  test('beside a header of an edge is the one that is ours', () => {
    for (const edge of [{ authorization: 'Bearer edge' }, { authorization: 'Basic ZWRnZQ==' }, { 'x-api-key': 'edge' }])
      expect(presentedKey(settled(request('/m', { 'x-goog-api-key': 'tw_a', ...edge })).headers)).toBe('tw_a')
  })

  test.each([
    ['two of them', request('/m?key=tw_b', { 'x-goog-api-key': 'tw_a' })],
    ['two in a query', request('/m?key=tw_b&key=tw_a')],
    ['one beside two others', request('/m?key=tw_a', { authorization: 'Bearer x', 'x-api-key': 'y' })],
  ])('is refused, unquoted: %s', (_title, given) => {
    const settle = (): void => settleKey(given, gemini)
    expect(settle).toThrow(expect.objectContaining({ code: 'request.invalid' }))
    expect(settle).not.toThrow(/tw_/)
  })

  test('is none of a dialect that has it elsewhere', () => {
    const given = request('/v1/messages?key=tw_a', { 'x-goog-api-key': 'tw_a' })
    settleKey(given, messages)
    expect(given).toEqual(request('/v1/messages?key=tw_a', { 'x-goog-api-key': 'tw_a' }))
  })
})
