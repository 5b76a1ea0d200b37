import { inspect } from 'node:util'
import { expect, test } from 'vitest'
import { SubjectToken } from './subject-token.ts'

test('a token is given to the issuer that gave it out and to nobody else', () => {
  const token = new SubjectToken('acme', 'eyJ.secret.text')
  expect(token.revealTo('acme')).toBe('eyJ.secret.text')
  expect(token.revealTo('other')).toBeUndefined()
})

test('nothing that prints, stores or copies it has its text', () => {
  const token = new SubjectToken('acme', 'eyJ.secret.text')
  const seen = [
    JSON.stringify({ token }),
    String(token),
    inspect({ token }, { depth: 9, showHidden: true }),
    JSON.stringify(Object.assign({}, token)),
  ]
  for (const text of seen) expect(text).not.toContain('secret')
})
