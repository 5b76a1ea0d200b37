/** What each kind finds, and what only looks like it. */
import { configSchema } from '@turnward/contract/config'
import { describe, expect, test } from 'vitest'
import { compileGuards } from '../../config/guards.ts'
import type { ConfigInput } from '../../invariants/floors.fixture.ts'
import { openGuard } from './guard-kinds.ts'

type GuardInput = NonNullable<ConfigInput['guards']>[string]

const mark = (kind: string): string => `<${kind}>`

function written(guard: GuardInput, text: string): string {
  const compiled = compileGuards(configSchema.parse({ guards: { g: guard } }).guards).get('g')
  if (compiled === undefined) throw new Error('no guard')
  let said = text
  for (const { start, end, instead } of (openGuard(compiled).inspector?.find(text, mark) ?? []).toReversed())
    said = said.slice(0, start) + instead + said.slice(end)
  return said
}

describe('pii', () => {
  const pii: GuardInput = {
    kind: 'pii',
    find: ['email', 'phone', 'iban', 'card', 'national_id'],
    countries: [
      'de',
      'us',
      'gb',
      'fr',
      'es',
      'it',
      'nl',
      'be',
      'pl',
      'br',
      'in',
      'se',
      'ca',
      'ch',
      'pt',
      'fi',
      'no',
      'cz',
      'at',
      'dk',
      'au',
    ],
  }
  test.each([
    ['Ask alice.smith+x@mail.corp.example, please.', 'Ask <email>, please.'],
    ['IBAN DE89 3704 0044 0532 0130 00 and more', 'IBAN <iban> and more'],
    ['GB82WEST12345698765432.', '<iban>.'],
    ['card 4111 1111 1111 1111 ends 12/30', 'card <card> ends 12/30'],
    ['378282246310005', '<card>'],
    ['call +49 30 901820, now', 'call <phone>, now'],
    ['call (555) 234-5678', 'call <phone>'],
    ['ssn 123-45-6789', 'ssn <national_id_us>'],
    ['Steuer-ID 86 095 742 719', 'Steuer-ID <national_id_de>'],
    ['NINO AB 12 34 56 C', 'NINO <national_id_gb>'],
    ['NIR 2 55 08 14 168 025 38', 'NIR <national_id_fr>'],
    ['DNI 12345678Z, NIE X1234567L', 'DNI <national_id_es>, NIE <national_id_es>'],
    ['RSSMRA85T10A562S', '<national_id_it>'],
    ['BSN 111222333', 'BSN <national_id_nl>'],
    ['85.07.30-033.28', '<national_id_be>'],
    ['CPF 529.982.247-25', 'CPF <national_id_br>'],
    ['Aadhaar 2341 2341 2346', 'Aadhaar <national_id_in>'],
    ['811218-9876', '<national_id_se>'],
    ['SIN 130 692 544', 'SIN <national_id_ca>'],
    ['AHV 756.9217.0769.85', 'AHV <national_id_ch>'],
    ['131052-308T', '<national_id_fi>'],
  ])('%s', (text, expected) => expect(written(pii, text)).toBe(expected))

  test.each([
    'GB82 WEST 1234 5698 7654 33',
    'order 4111 1111 1111 1112',
    'version 1.2.3.4 of 2026-11-30 10:30:00',
    'at 10.0.0.12:8080, commit 3f9c2a71b7e4d5',
    'ssn 000-45-6789',
    'a@b, x@y.z and @handle',
    'DNI 12345678A',
    '$1,234,567.89 in 2026',
  ])('not: %s', (text) => expect(written(pii, text)).toBe(text))
})

describe('secrets', () => {
  // Put together here, so that nobody takes this file for a leak.
  const join = (...parts: readonly string[]): string => parts.join('')
  test.each([
    [join('AKIA', 'IOSFODNN7EXAMPLE'), '[secret: aws-access-key]'],
    [join('sk-ant-', 'api03-', 'a'.repeat(40)), '[secret: anthropic-key]'],
    [join('sk-', 'proj-', 'Abc123'.repeat(8)), '[secret: openai-key]'],
    [join('xoxb-', '123456789012-abcdefABCDEF'), '[secret: slack-token]'],
    [join('AIza', 'SyA'.repeat(11), 'ab'), '[secret: google-api-key]'],
    [join('tw_', 'k'.repeat(30)), '[secret: turnward-key]'],
    [join('postgres://app:', 'hunter22', '@db.example/app'), '[secret: url-password]db.example/app'],
    [join('-----BEGIN RSA ', 'PRIVATE KEY-----\nMIIE\nabc=\n-----END RSA PRIVATE KEY-----'), '[secret: private-key]'],
    [join('eyJ', 'hbGciOiJIUzI1NiJ9.', 'eyJzdWIiOiIxMjM0NTY3ODkwIn0.', 'dozjgNryP4J3jVmNHl0w5N_XgL0n3I9P'), '[secret: jwt]'],
  ])('%s', (text, expected) => expect(written({ kind: 'secrets' }, `key: ${text} .`)).toBe(`key: ${expected} .`))

  test('a token whose checksum is another is none', () => {
    const body = 'a'.repeat(30)
    expect(written({ kind: 'secrets' }, `gh${'p_'}${body}000000`)).toBe(`ghp_${body}000000`)
    // CRC-32 of thirty times `a`, in base 62.
    expect(written({ kind: 'secrets' }, `gh${'p_'}${body}${crcOf(body)}`)).toBe('[secret: github-token]')
  })

  test.each(['sk-this-is-only-a-long-name-of-a-file', 'postgres://app:${PASSWORD}@db', 'see https://x.example:8080/@me', 'eyJ.eyJ.x'])(
    'not: %s',
    (text) => expect(written({ kind: 'secrets' }, text)).toBe(text),
  )
})

function crcOf(text: string): string {
  let crc = 0xffffffff
  for (const byte of Buffer.from(text)) {
    crc ^= byte
    for (let bit = 0; bit < 8; bit += 1) crc = crc & 1 ? (crc >>> 1) ^ 0xedb88320 : crc >>> 1
  }
  let number = (crc ^ 0xffffffff) >>> 0
  let digits = ''
  for (let place = 0; place < 6; place += 1) {
    digits = '0123456789ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz'.charAt(number % 62) + digits
    number = Math.floor(number / 62)
  }
  return digits
}

describe('invisible', () => {
  test.each([
    ['pay\u200bload \u{e0041}\u{e0042}!', 'payload !'],
    ['a\u202eb', 'ab'],
    ['blue\u200dbird a\ufe0fb', 'bluebird ab'],
    [
      '\u0646\u0645\u06cc\u200c\u062e\u0648\u0627\u0647\u0645 1\ufe0f\u20e3',
      '\u0646\u0645\u06cc\u200c\u062e\u0648\u0627\u0647\u0645 1\ufe0f\u20e3',
    ],
    ['\u{1f468}\u200d\u{1f469}\u200d\u{1f467} \u2764\ufe0f', '\u{1f468}\u200d\u{1f469}\u200d\u{1f467} \u2764\ufe0f'],
    ['p\u0430ypal', 'paypal'],
    ['\uff49\uff47\uff4e\uff4f\uff52\uff45 \u{1d4f6}\u{1d4ee}', 'ignore me'],
    ['слово and λόγος', 'слово and λόγος'],
  ])('%j', (text, expected) => expect(written({ kind: 'invisible' }, text)).toBe(expected))
})

describe('patterns', () => {
  test('all places of all patterns, those that overlap as one', () => {
    expect(written({ kind: 'patterns', deny: ['b+', 'bc'], replacement: '-' }, 'abbcab')).toBe('a-a-')
  })
})
