/** Nothing secret leaves through the log, wherever it was put. */
import { Writable } from 'node:stream'
import fc from 'fast-check'
import { describe, expect, test } from 'vitest'
import { createLogger } from './logger.ts'
import { scrubText } from './scrubbing.ts'

function recording(level: 'debug' | 'info' = 'debug') {
  const lines: string[] = []
  const destination = new Writable({
    write: (chunk, _encoding, done) => {
      lines.push(String(chunk))
      done()
    },
  })
  return { lines, logger: createLogger({ level, destination, base: { version: '1' } }) }
}

describe('the logger', () => {
  test('writes one JSON object a line, with the level by name', () => {
    const { lines, logger } = recording()
    logger.warn({ server: 'mail' }, 'slow')
    expect(JSON.parse(lines[0] ?? '')).toMatchObject({ level: 'warn', version: '1', server: 'mail', msg: 'slow' })
    expect(lines[0]).toMatch(/\n$/)
  })

  test('does not write below its level', () => {
    const { lines, logger } = recording('info')
    logger.debug({}, 'detail')
    expect(lines).toEqual([])
  })

  test.each([
    { headers: { authorization: 'opaque-hush-value' } },
    { headers: { 'X-Api-Key': 'opaque-hush-value' } },
    { deep: { er: [{ set_cookie: ['opaque-hush-value'] }] } },
    { client_secret: 'opaque-hush-value', accessToken: { value: 'opaque-hush-value' }, Password: 'opaque-hush-value' },
    { note: 'the key is tw_opaquehushvalue' },
    { note: 'sk-opaque-hush-value' },
    { note: 'Authorization: Bearer opaque-hush-value' },
    { url: 'https://user:opaque-hush-value@example.com/' },
    { error: new Error('failed with sk-opaque-hush-value', { cause: new Error('Bearer opaque-hush-value') }) },
    { map: new Map([['token', 'opaque-hush-value']]) },
  ])('keeps the secret out of %j', (fields) => {
    const { lines, logger } = recording()
    logger.info(fields, 'checked')
    expect(lines).toHaveLength(1)
    expect(lines[0]).not.toMatch(/hush-?value/)
    expect(lines[0]).toContain('[redacted]')
  })

  test('cleans the message too, and leaves token counts alone', () => {
    const { lines, logger } = recording()
    logger.info({ inputTokens: 12, max_tokens: 5 }, 'with tw_opaquehushvalue')
    expect(JSON.parse(lines[0] ?? '')).toMatchObject({ inputTokens: 12, max_tokens: 5, msg: 'with [redacted]' })
  })

  test('fields cannot pretend to be the level, the time or the message', () => {
    const { lines, logger } = recording()
    logger.info({ level: 'debug', msg: 'forged', time: 'never' }, 'real')
    const names = [...(lines[0] ?? '').matchAll(/"(level|time|msg)":/g)].map(([, name]) => name)
    expect(new Set(names).size).toBe(names.length)
    expect(JSON.parse(lines[0] ?? '')).toMatchObject({ level: 'info', msg: 'real' })
  })

  test('survives cycles, depth and size', () => {
    const { lines, logger } = recording()
    const cycle: Record<string, unknown> = {}
    cycle['self'] = cycle
    logger.info({ cycle, long: 'x'.repeat(100_000), list: Array.from({ length: 10_000 }, () => 1) }, 'big')
    expect((lines[0] ?? '').length).toBeLessThan(20_000)
  })

  test('a key is found whatever stands around it', () => {
    const key = fc.stringMatching(/^[A-Za-z0-9]{16,40}$/)
    fc.assert(
      fc.property(
        fc.constantFrom('tw_', 'sk-', 'Bearer '),
        key,
        fc.string(),
        (prefix, secret, around) => !scrubText(`${around} ${prefix}${secret} ${around}`).includes(secret) || around.includes(secret),
      ),
    )
  })
})
