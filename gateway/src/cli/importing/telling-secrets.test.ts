import { expect, test } from 'vitest'
import { isHarmless, isPlainAddress, isSecretArgument } from './telling-secrets.ts'

test.each([
  ['LOG_LEVEL', 'debug'],
  ['NODE_ENV', 'production'],
  ['REGION', 'us-east-1'],
  ['LANG', 'en_US.UTF-8'],
  ['PORT', '8080'],
  ['AUTH_ENABLED', 'true'],
  ['API_URL', 'https://api.example.com/v1'],
  ['CONFIG', '/home/ada/config.json'],
  ['ROOT', './docs'],
  ['EMPTY', ''],
])('%s=%s may be written down', (name, value) => {
  expect(isHarmless(name, value)).toBe(true)
})

test.each([
  ['API_KEY', 'hello'],
  ['PASSWORD', '1234'],
  ['GITHUB_PAT', 'abc'],
  ['MY_SETTING', 'ghp_0123456789abcdef'],
  ['MY_SETTING', 'hunter2'],
  ['MY_SETTING', 'correct-horse-battery-staple'],
  ['MY_SETTING', '9f8e7d6c-5b4a-3f2e-1d0c-9b8a7f6e5d4c'],
  ['DATABASE', 'postgresql://ada:pw@db.example/books'],
  ['HOOK', 'https://hooks.example.com/services/T00000000/B00000000/abcdefghij0123456789'],
  ['ENDPOINT', 'https://api.example.com/?key=abc'],
  ['MAIL', 'ada@example.com'],
  ['DSN', 'https://sentry.example/1'],
])('%s=%s is taken for a secret', (name, value) => {
  expect(isHarmless(name, value)).toBe(false)
})

test.each([
  ['postgresql://ada:pw@db.example/books', true],
  ['https://mcp.example/sse?token=abc', true],
  ['sk-abcdef0123456789', true],
  ['d41d8cd98f00b204e9800998', true],
  ['/home/ada/projects/shop-2026', false],
  ['--read-only', false],
  ['Europe/Berlin', false],
  ['https://api.example.com/v1', false],
  ['8080', false],
])('the argument %s is a secret by itself: %s', (value, is) => {
  expect(isSecretArgument(value)).toBe(is)
})

test.each(['https://mcp.example/s/0123456789abcdefghij/mcp', 'https://u:p@mcp.example/', 'https://mcp.example/#x', 'mcp.example'])(
  '%s is no plain address',
  (address) => expect(isPlainAddress(address)).toBe(false),
)
