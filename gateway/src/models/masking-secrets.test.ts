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
