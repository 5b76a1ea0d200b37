import { describe, expect, test } from 'vitest'
import { readUpstreamError } from './upstream-errors.ts'

describe('upstream errors', () => {
  test.each([
    [
      'OpenAI',
      { error: { message: 'No such model', type: 'invalid_request_error', param: null, code: 'model_not_found' } },
      404,
      'No such model',
      'invalid_request_error',
    ],
    ['Anthropic', { type: 'error', error: { type: 'overloaded_error', message: 'Overloaded' } }, 529, 'Overloaded', 'overloaded_error'],
    ['Kong', { message: 'API rate limit exceeded' }, 429, 'API rate limit exceeded', 'rate_limit_error'],
    ['APISIX', { error_msg: '404 Route Not Found' }, 404, '404 Route Not Found', 'not_found_error'],
    ['FastAPI', { detail: 'Not authenticated' }, 401, 'Not authenticated', 'authentication_error'],
    [
      'FastAPI with a list',
      { detail: [{ loc: ['body', 'messages', 0], msg: 'Field required', type: 'missing' }, 'and more', { type: 'x' }] },
      422,
      'body.messages.0: Field required; and more',
      'invalid_request_error',
    ],
    ['a detail that is an object', { detail: { message: 'quota' } }, 429, 'quota', 'rate_limit_error'],
    ['Gemini', [{ error: { code: 400, message: 'Bad', status: 'INVALID_ARGUMENT' } }], 400, 'Bad', 'INVALID_ARGUMENT'],
    ['a bare string', { error: 'model not loaded' }, 500, 'model not loaded', 'api_error'],
    ['plain text', 'upstream connect error', 503, 'upstream connect error', 'overloaded_error'],
    ['JSON text', '{"message":"no"}', 403, 'no', 'permission_error'],
    ['HTML', '<html><body>Bad gateway</body></html>', 502, 'The upstream answered 502 without a message.', 'api_error'],
    ['nothing', '', 500, 'The upstream answered 500 without a message.', 'api_error'],
    ['null', null, undefined, 'The upstream reported an error without a message.', 'api_error'],
  ])('%s', (_name, body, status, message, type) => {
    expect(readUpstreamError(body, status)).toEqual({ message, type })
  })

  test('keys that a provider quotes do not get out', () => {
    const { message } = readUpstreamError(
      { error: { message: 'Incorrect API key provided: sk-proj-abcdefghijkl1234567890. Bearer abcdef123456' } },
      401,
    )
    expect(message).toBe('Incorrect API key provided: [redacted]. [redacted]')
  })

  test('messages are bounded and stay on one line; types are identifiers', () => {
    const error = readUpstreamError({ error: { message: `a\r\nforged ${'x'.repeat(100_000)}`, type: 'bad type\n' } }, 400)
    expect(error.message.length).toBeLessThanOrEqual(1001)
    expect(error.message).toMatch(/^a forged x+…$/)
    expect(error.type).toBe('invalid_request_error')
  })
})
