/** Which names a sandboxed server may ask for, and which addresses no name may lead it to. */
import fc from 'fast-check'
import { describe, expect, test } from 'vitest'
import { compileEgressRules, isPublicAddress, parseAuthority } from './egress-rules.ts'

describe('the list of hosts', () => {
  const rules = compileEgressRules('probe', [
    'api.example.com',
    'db.example.com:5432',
    '*.cdn.example.com',
    '10.1.2.3:8080',
    '[2001:db8::1]:443',
    '2001:db8::2',
  ])

  test.each([
    ['api.example.com', 443],
    ['api.example.com', 80],
    ['API.Example.COM', 443],
    ['api.example.com.', 443],
    ['db.example.com', 5432],
    ['a.cdn.example.com', 443],
    ['a.b.cdn.example.com', 443],
    ['10.1.2.3', 8080],
    ['2001:db8::1', 443],
    ['2001:DB8:0::1', 443],
    ['2001:db8::2', 80],
  ])('allows %s:%i', (host, port) => expect(rules.refusal(host, port)).toBeUndefined())

  test.each([
    ['example.com', 443],
    ['evil-api.example.com', 443],
    ['api.example.com.evil.com', 443],
    ['api.example.com', 22],
    ['db.example.com', 443],
    ['cdn.example.com', 443],
    ['xcdn.example.com', 443],
    ['10.1.2.3', 80],
    ['10.1.2.4', 8080],
    ['0x0a.1.2.3', 8080],
    ['167838211', 8080],
    ['10.66051', 8080],
    ['::ffff:10.1.2.3', 8080],
    ['api.example.com@evil.com', 443],
    ['api.example.com\0.evil.com', 443],
    ['', 443],
  ])('refuses %j:%i', (host, port) => expect(rules.refusal(host, port)).toBeDefined())

  test.each([
    'https://example.com',
    'example.com/path',
    'exa mple.com',
    '*',
    '*.com',
    'a.*.com',
    'example.com:0',
    'example.com:70000',
    '127.1',
    '[::1',
    '*.10.0.0.1',
  ])('does not take %j', (entry) => {
    expect(() => compileEgressRules('probe', [entry])).toThrowError(expect.objectContaining({ code: 'config.invalid' }))
  })

  test('an empty list allows nothing', () => {
    const none = compileEgressRules('probe', [])
    fc.assert(fc.property(fc.domain(), fc.integer({ min: 1, max: 65_535 }), (host, port) => none.refusal(host, port) !== undefined))
  })
})

describe('an address that hands out credentials', () => {
  test.each([
    '169.254.169.254',
    '169.254.169.254:80',
    '[::ffff:169.254.169.254]:80',
    '168.63.129.16',
    '[fd00:ec2::254]:80',
    '[fe80::1]:80',
  ])('%s cannot be listed', (entry) => {
    expect(() => compileEgressRules('s', [entry])).toThrow(/credentials/)
  })
})

describe('the target of a request', () => {
  test.each([
    ['example.com:443', { host: 'example.com', port: 443 }],
    ['[::1]:80', { host: '::1', port: 80 }],
    ['127.0.0.1:8080', { host: '127.0.0.1', port: 8080 }],
  ])('%s', (text, expected) => expect(parseAuthority(text)).toEqual(expected))

  test.each([
    'example.com',
    'user@example.com:443',
    'example.com:443/x',
    ':443',
    'example.com:0',
    'example.com:99999',
    '[example.com]:443',
    '::1:443',
    'example.com:443 x',
    '[fe80::1%eth0]:80',
  ])('refuses %j', (text) => {
    expect(parseAuthority(text)).toBeUndefined()
  })
})

describe('a public address', () => {
  test.each(['1.1.1.1', '93.184.216.34', '2606:4700::1111'])('is %s', (address) => expect(isPublicAddress(address)).toBe(true))

  test.each([
    '0.0.0.0',
    '10.0.0.1',
    '100.64.0.1',
    '100.100.100.200',
    '127.0.0.1',
    '127.9.9.9',
    '169.254.169.254',
    '168.63.129.16',
    '172.16.0.1',
    '192.0.0.192',
    '192.168.1.1',
    '198.18.0.1',
    '224.0.0.1',
    '240.0.0.1',
    '255.255.255.255',
    '::',
    '::1',
    '::ffff:127.0.0.1',
    '::ffff:8.8.8.8',
    '::127.0.0.1',
    '64:ff9b::7f00:1',
    '64:ff9b:1::1',
    '2002:7f00:1::',
    '2001::1',
    '2001:db8::1',
    'fc00::1',
    'fd00:ec2::254',
    'fe80::1',
    'fec0::1',
    'ff02::1',
    '100::1',
    'not an address',
    '',
  ])('is not %j', (address) => expect(isPublicAddress(address)).toBe(false))

  test('is never in a private range, in any of its IPv6 disguises', () => {
    const octet = fc.integer({ min: 0, max: 255 })
    const hex = (high: number, low: number) => ((high << 8) | low).toString(16)
    fc.assert(
      fc.property(octet, octet, octet, (b, c, d) => {
        for (const address of [
          `10.${b}.${c}.${d}`,
          `127.${b}.${c}.${d}`,
          `::ffff:10.${b}.${c}.${d}`,
          `64:ff9b::${hex(10, b)}:${hex(c, d)}`,
          `2002:${hex(10, b)}:${hex(c, d)}::1`,
        ])
          expect(isPublicAddress(address)).toBe(false)
      }),
    )
  })
})
