import { expect, test } from 'vitest'
import { maskSecrets, maskSecretText } from './masking-secrets.ts'

test('every occurrence of every secret is taken out, and nothing else is changed', () => {
  const text = 'bad key sk-secret-1: sk-secret-1, tenant acme-internal é'
  expect(maskSecrets(Buffer.from(text), ['sk-secret-1', 'acme-internal']).toString()).toBe('bad key [hidden]: [hidden], tenant [hidden] é')
  expect(maskSecretText(text, ['sk-secret-1'])).toBe('bad key [hidden]: [hidden], tenant acme-internal é')
})

test('bytes without a secret are the same bytes', () => {
  const bytes = Buffer.from('nothing here')
  expect(maskSecrets(bytes, ['sk-secret-1'])).toBe(bytes)
})

test('a value too short to be a secret is left alone', () => {
  expect(maskSecretText('a true story', ['true'])).toBe('a true story')
})

const secret = 'k-Ab/9+z&"Q\\w=='
const everyCharacter = (write: (code: number) => string) => Array.from(secret, (character) => write(character.charCodeAt(0))).join('')

test.each([
  ['JSON', JSON.stringify(secret).slice(1, -1)],
  ['JSON within JSON', JSON.stringify(JSON.stringify(secret)).slice(3, -3)],
  ['JSON that escapes slashes', JSON.stringify(secret).slice(1, -1).replaceAll('/', '\\/')],
  ['JSON in \\u alone', everyCharacter((code) => `\\u${code.toString(16).padStart(4, '0')}`)],
  ['a query', encodeURIComponent(secret)],
  [
    'a query in small letters',
    encodeURIComponent(secret).toLowerCase().replace('k-ab', 'k-Ab').replace('z', 'z').replace('q%5cw', 'Q%5cw'),
  ],
  ['HTML', secret.replaceAll('&', '&amp;').replaceAll('"', '&quot;')],
  ['HTML by numbers', everyCharacter((code) => `&#${code};`)],
  ['base64', Buffer.from(secret).toString('base64')],
  ['base64 of a header', Buffer.from(`authorization: Bearer ${secret}, and more`).toString('base64')],
  ['base64url of a header', Buffer.from(`x: ${secret}`).toString('base64url')],
])('a secret quoted in %s is taken out', (_encoding, quoted) => {
  const masked = maskSecretText(`refused: ${quoted}.`, [secret])
  expect(masked).toContain('[hidden]')
  const read = Buffer.from(masked.slice(9, -1), 'base64').toString('latin1')
  for (const text of [masked, read]) expect(text).not.toContain('Ab/9+z')
})

test('of a header with a scheme, what stands behind the scheme is a secret too', () => {
  const basic = `Basic ${Buffer.from('robot:correct-horse').toString('base64')}`
  expect(maskSecretText('no user robot with correct-horse', [basic])).toBe('no user robot with [hidden]')
  expect(maskSecretText('bad token abcdef-123456', ['Bearer abcdef-123456'])).toBe('bad token [hidden]')
})
