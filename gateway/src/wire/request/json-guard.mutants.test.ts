/** A field we read in another spelling, alone: there is no second key to collide with, and an upstream may read it. */
import { expect, test } from 'vitest'
import { allGuardedFields } from '../dialects.ts'
import { parseGuardedJson } from './json-guard.ts'

const limits = { maxDepth: 20, maxKeys: 1000, guardedFields: allGuardedFields }
const parse = (value: string): unknown => parseGuardedJson(Buffer.from(value), limits)

test.each([...allGuardedFields])('%s in another letter case is refused, though it stands alone', (name) => {
  expect(() => parse(`{"${name.toUpperCase()}":1}`)).toThrow(expect.objectContaining({ code: 'request.ambiguous_key' }))
  expect(() => parse(`{"messages":[{"${name.charAt(0).toUpperCase()}${name.slice(1)}":1}]}`)).toThrow(
    expect.objectContaining({ code: 'request.ambiguous_key' }),
  )
  expect(() => parse(`{"${name}":1}`)).not.toThrow()
})

test('an escape or a lookalike letter hides no such spelling', () => {
  for (const key of ['\\u004dessages', 'me\\u017fsages', '\\uff4dessages']) {
    expect(() => parse(`{"${key}":[]}`)).toThrow(expect.objectContaining({ code: 'request.ambiguous_key' }))
  }
})
