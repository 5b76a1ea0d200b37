import { expect, test } from 'vitest'
import { readChallenge, scopesOf } from './challenge.ts'

test('a Bearer challenge says what was wrong, which scopes are needed, and where the server describes itself', () => {
  const header =
    'Bearer realm="mcp, really", error="insufficient_scope", scope="files:read files:write", resource_metadata="https://a.example/x"'
  expect(readChallenge(403, header)).toEqual({
    status: 403,
    error: 'insufficient_scope',
    scope: 'files:read files:write',
    resourceMetadata: 'https://a.example/x',
  })
})

test.each([
  ['another scheme before it', 'Basic realm="a", Bearer scope="x"'],
  ['another scheme after it', 'Bearer scope=x, DPoP algs="ES256", scope="other"'],
  ['a scheme in another case', 'bEaReR SCOPE="x"'],
  ['a quoted pair', 'Bearer realm="a\\"b, scope=\\"y\\"", scope="x"'],
  ['two challenges of its scheme: the first counts', 'Bearer scope="x", Bearer scope="y"'],
  ['a repeated parameter: the first counts', 'Bearer scope="x", scope="y"'],
])('%s', (_name, header) => {
  expect(readChallenge(401, header)?.scope).toBe('x')
})

test('what is no challenge, no scope, or too long says nothing', () => {
  const nothing = { status: 401, error: undefined, scope: undefined, resourceMetadata: undefined }
  for (const header of [undefined, '', '====', 'Basic scope="x"', `Bearer scope="${'x'.repeat(9000)}"`, 'Bearer scope="a\u0007"'])
    expect(readChallenge(401, header)).toEqual(nothing)
  expect(readChallenge(500, 'Bearer scope="x"')).toBeUndefined()
})

test('a long hostile header is read in no time worth speaking of', () => {
  const header = `Bearer ${'a="\\'.repeat(2000)}`.slice(0, 8192)
  expect(readChallenge(401, header)?.status).toBe(401)
})

test('scopes are a set', () => {
  expect(scopesOf('b a  b')).toEqual(['b', 'a'])
})
