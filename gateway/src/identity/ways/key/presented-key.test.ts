import { describe, expect, test } from 'vitest'
import { presentedKey } from './presented-key.ts'

describe('the presented key', () => {
  test('is taken from a bearer token, whatever the case of the scheme', () => {
    expect(presentedKey({ authorization: 'Bearer k1' })).toBe('k1')
    expect(presentedKey({ authorization: 'bearer   k1 ' })).toBe('k1')
  })

  const signed = (id: string, rest = `, SignedHeaders=host;x-amz-date, Signature=${'a1'.repeat(32)}`): string =>
    `AWS4-HMAC-SHA256 Credential=${id}/20261129/us-east-1/bedrock/aws4_request${rest}`

  test('is the access key id of a request that is signed as for AWS', () => {
    expect(presentedKey({ authorization: signed('tw_k1') })).toBe('tw_k1')
    expect(presentedKey({ authorization: signed('edge'), 'x-api-key': 'tw_k1' })).toBe('tw_k1')
  })

  test.each([
    ['an id that AWS gave out', signed('AKIAIOSFODNN7EXAMPLE')],
    ['a temporary id that AWS gave out', signed('ASIAIOSFODNN7EXAMPLE')],
    ['no signature', signed('tw_k1', ', SignedHeaders=host')],
    ['a short signature', signed('tw_k1', ', SignedHeaders=host, Signature=a1')],
    ['no id', signed('')],
    ['an id with a path', signed('tw/k1')],
    ['no scope', `AWS4-HMAC-SHA256 Credential=tw_k1, SignedHeaders=host, Signature=${'a1'.repeat(32)}`],
  ])('is missing in a signature with %s, and the way to give one is told', (_, authorization) => {
    expect(() => presentedKey({ authorization })).toThrow(
      expect.objectContaining({ code: 'auth.missing_key', fix: expect.stringContaining('AWS_BEARER_TOKEN_BEDROCK') }),
    )
  })

  test('is taken from x-api-key', () => {
    expect(presentedKey({ 'x-api-key': 'k1' })).toBe('k1')
    expect(presentedKey({ 'x-api-key': 'k1', authorization: '' })).toBe('k1')
  })

  test('may be in both headers when they agree', () => {
    expect(presentedKey({ authorization: 'Bearer k1', 'x-api-key': 'k1' })).toBe('k1')
  })

  test.each([
    ['two different keys', { authorization: 'Bearer k1', 'x-api-key': 'k2' }],
    ['another scheme beside a key', { authorization: 'Basic a2V5', 'x-api-key': 'k1' }],
    ['an empty bearer token beside a key', { authorization: 'Bearer ', 'x-api-key': 'k1' }],
    ['several x-api-key headers', { 'x-api-key': ['k1', 'k2'] }],
  ])('is refused as ambiguous: %s', (_, headers) => {
    expect(() => presentedKey(headers)).toThrow(expect.objectContaining({ code: 'request.invalid' }))
  })

  test.each([
    ['the key of an edge in x-api-key', { authorization: 'Bearer tw_ours', 'x-api-key': 'edge-key' }],
    ['the key of an edge as bearer', { authorization: 'Bearer edge-key', 'x-api-key': 'tw_ours' }],
    ['another scheme', { authorization: 'Basic a2V5', 'x-api-key': 'tw_ours' }],
  ])('is the one that is ours by its form: beside %s', (_, headers) => {
    expect(presentedKey(headers)).toBe('tw_ours')
  })

  test('is ambiguous when both are ours by their form', () => {
    const headers = { authorization: 'Bearer tw_one', 'x-api-key': 'tw_two' }
    expect(() => presentedKey(headers)).toThrow(expect.objectContaining({ code: 'request.invalid' }))
    expect(presentedKey(headers, ['x-api-key'])).toBe('tw_one')
  })

  test('is never taken from a header that is to be ignored', () => {
    expect(presentedKey({ authorization: 'Bearer k1', 'x-api-key': 'k2' }, ['authorization'])).toBe('k2')
    expect(() => presentedKey({ 'x-api-key': 'k2' }, ['x-api-key'])).toThrow(expect.objectContaining({ code: 'auth.missing_key' }))
  })

  test.each([
    ['no header', {}],
    ['empty headers', { authorization: '', 'x-api-key': '' }],
    ['another scheme', { authorization: 'Basic a2V5' }],
    ['no token', { authorization: 'Bearer' }],
  ])('is missing: %s', (_, headers) => {
    expect(() => presentedKey(headers)).toThrow(expect.objectContaining({ code: 'auth.missing_key' }))
  })

  test('is unknown when longer than any key, and is not quoted', () => {
    const long = 'k'.repeat(513)
    expect(() => presentedKey({ 'x-api-key': long })).toThrow(expect.objectContaining({ code: 'auth.unknown_key' }))
    expect(() => presentedKey({ 'x-api-key': long })).not.toThrow(long)
    expect(presentedKey({ 'x-api-key': 'k'.repeat(512) })).toHaveLength(512)
  })
})
