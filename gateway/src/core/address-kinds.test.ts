/** What an address is, in every form that means it. */
import fc from 'fast-check'
import { describe, expect, test } from 'vitest'
import { addressKind } from './address-kinds.ts'

describe('an address', () => {
  test.each([
    ['public', ['1.1.1.1', '93.184.216.34', '2606:4700::1111']],
    ['private', ['10.0.0.1', '172.16.0.1', '172.31.255.255', '192.168.1.1', '100.64.0.1', 'fc00::1', 'fd12::1']],
    ['loopback', ['127.0.0.1', '127.9.9.9', '::1', '0:0:0:0:0:0:0:1']],
    [
      'platform',
      [
        '169.254.169.254',
        '169.254.170.2',
        '168.63.129.16',
        '100.100.100.200',
        '192.0.0.192',
        'fd00:ec2::254',
        'FD00:EC2::23',
        'fd20:ce::254',
        'fd00:c1::a9fe:a9fe',
        'fe80::1',
        'fe80::1%eth0',
      ],
    ],
    [
      'embedded',
      [
        '::ffff:127.0.0.1',
        '::ffff:8.8.8.8',
        '::127.0.0.1',
        '64:ff9b::7f00:1',
        '64:ff9b:1::1',
        '2002:7f00:1::',
        '2001::1',
        '::ffff:0:7f00:1',
        '2606:4700::5efe:7f00:1',
        '2606:4700::200:5efe:a00:1',
      ],
    ],
    ['nowhere', ['0.0.0.0', '0.1.2.3', '255.255.255.255', '224.0.0.1', '::', 'ff02::1']],
    [
      'reserved',
      [
        '192.0.2.1',
        '198.18.0.1',
        '240.0.0.1',
        '2001:db8::1',
        'fec0::1',
        '100::1',
        '4000::1',
        '2606:4700::1111%eth0',
        '127.1',
        '0x7f000001',
        'name',
        '',
      ],
    ],
  ] as const)('is %s', (kind, addresses) => {
    expect(addresses.filter((address) => addressKind(address) !== kind)).toEqual([])
  })

  test('is never public in a private range, in any of its IPv6 disguises', () => {
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
          `2606:4700::5efe:${hex(10, b)}:${hex(c, d)}`,
        ])
          expect(addressKind(address)).not.toBe('public')
      }),
    )
  })
})
