/**
 * Every way we know to write an address that is not what it looks like, and to name one that is not where it seems. The table
 * for whatever dials: none of these may make the gateway connect to its own machine.
 */
import { privateAddress } from '../../harness/named-hosts.ts'

export interface AddressForm {
  readonly what: string
  /** The authority as it would stand in a URL or a CONNECT request, for a listener on this port. */
  readonly at: (port: number) => string
}

const plain = (what: string, ...hosts: readonly string[]): AddressForm[] =>
  hosts.map((host) => ({ what: `${what}: ${host}`, at: (port) => `${host}:${port}` }))
const odd = (what: string, at: (port: number) => string): AddressForm => ({ what, at })

const own = privateAddress ?? '10.0.0.1'

export const addressForms: readonly AddressForm[] = [
  ...plain('dotted', '127.0.0.1', '127.0.0.2', '127.255.255.254', '0.0.0.0', own.includes(':') ? `[${own}]` : own),
  ...plain('short', '127.1', '127.0.1', '0', '127'),
  ...plain('decimal', '2130706433', '4294967295', '0000002130706433'),
  ...plain('octal', '0177.0.0.1', '0177.0.0.01', '017700000001', '0177.1', '00000177.0.0.1', '127.0.0.01', '127.000.000.001'),
  ...plain('hexadecimal', '0x7f000001', '0x7f.0.0.1', '0x7f.0x0.0x0.0x1', '0x7f.1', '0X7F000001', '0x7f.0.1', '0x000000007f000001'),
  ...plain('mixed', '0x7f.0.1', '127.0x0.00.1', '0177.0x0.1'),
  ...plain('too large', '127.0.0.257', '383.0.0.1', '6425673729', '0x17f000001'),
  ...plain('trailing dot', '127.0.0.1.', '127.1.', '2130706433.', 'localhost.', 'localhost..', '127.0.0.1..'),
  ...plain('IPv6', '[::1]', '[::]', '[0:0:0:0:0:0:0:1]', '[0000:0000:0000:0000:0000:0000:0000:0001]', '[::0001]', '::1'),
  ...plain('IPv4-mapped', '[::ffff:127.0.0.1]', '[::ffff:7f00:1]', '[0:0:0:0:0:ffff:127.0.0.1]', '[::FFFF:127.0.0.1]', '[::ffff:0.0.0.0]'),
  ...plain('IPv4-compatible', '[::127.0.0.1]', '[::7f00:1]', '[::ffff:0:127.0.0.1]'),
  ...plain('NAT64', '[64:ff9b::127.0.0.1]', '[64:ff9b::7f00:1]', '[64:ff9b:1::7f00:1]', '[64:ff9b::a9fe:a9fe]'),
  ...plain(
    '6to4, Teredo, ISATAP',
    '[2002:7f00:1::]',
    '[2002:7f00:1::1]',
    '[2001:0:7f00:1::]',
    '[2001::80ff:fffe]',
    '[2606:4700::5efe:7f00:1]',
  ),
  ...plain('zone', '[::1%lo]', '[::1%25lo]', '[fe80::1%25lo]', '[fe80::1%eth0]', '[::ffff:127.0.0.1%25lo]', '127.0.0.1%lo'),
  ...plain('metadata', '169.254.169.254', '2852039166', '0xa9fea9fe', '[::ffff:169.254.169.254]', '[fd00:ec2::254]', '100.100.100.200'),
  ...plain('name', 'localhost', 'LOCALHOST', 'LocalHost', 'localhost.localdomain', 'ip6-localhost', 'ip6-loopback', 'foo.localhost'),
  ...plain('dots of other scripts', '127。0。0。1', '127．0．0．1', '127｡0｡0｡1', 'localhost。'),
  ...plain('digits of other scripts', '１２７.0.0.1', '①②⑦.⓪.⓪.①', '𝟏𝟐𝟕.𝟎.𝟎.𝟏', 'ｌｏｃａｌｈｏｓｔ', 'ⓛⓞⓒⓐⓛⓗⓞⓢⓣ'),
  ...plain(
    'percent-encoded',
    '%31%32%37.0.0.1',
    '127%2e0%2e0%2e1',
    '%6c%6f%63%61%6c%68%6f%73%74',
    '%5B::1%5D',
    '127.0.0.1%00',
    '127.0.0.1%00.listed.example',
  ),
  ...plain('ending of a listed name', '127.0.0.1.listed.example.', 'listed.example.127.0.0.1', 'listed.example.localhost'),
  ...plain('empty', '', '.', '[]', '@', ' ', '*', '-'),
  odd('user information', (port) => `listed.example@127.0.0.1:${port}`),
  odd('user information with a password', (port) => `listed.example:${port}@127.0.0.1:${port}`),
  odd('user information in user information', (port) => `a@listed.example:${port}@127.0.0.1:${port}`),
  odd('encoded user information', (port) => `listed.example%40127.0.0.1:${port}`),
  odd('a fragment', (port) => `127.0.0.1:${port}#@listed.example:${port}`),
  odd('a query', (port) => `127.0.0.1:${port}?@listed.example:${port}`),
  odd('a path', (port) => `127.0.0.1:${port}/.listed.example:${port}`),
  odd('a backslash', (port) => `127.0.0.1:${port}\\@listed.example:${port}`),
  odd('a backslash the other way', (port) => `listed.example\\@127.0.0.1:${port}`),
  odd('two ports', (port) => `127.0.0.1:${port}:${port}`),
  odd('a port with a sign', (port) => `127.0.0.1:+${port}`),
  odd('a port that wraps', (port) => `127.0.0.1:${port + 65_536}`),
  odd('a port with zeros', (port) => `127.0.0.1:0000${port}`),
  odd('a tab', (port) => `127.0.0.1:${port}\tlisted.example`),
  odd('a NUL', (port) => `127.0.0.1\0.listed.example:${port}`),
  odd('a second authority', (port) => `listed.example:${port},127.0.0.1:${port}`),
  odd('another scheme', (port) => `gopher://127.0.0.1:${port}`),
]

/** Names whose owner answers as a name server of the hostile kind does: answers one after the other, of which the last stays. */
export const hostileNames: Readonly<Record<string, readonly (readonly string[])[]>> = {
  'listed.example': [['127.0.0.1']],
  '127-0-0-1.nip.listed.example': [['127.0.0.1']],
  '127.0.0.2.listed.example': [['127.0.0.2']],
  'v6.listed.example': [['::1']],
  'mapped.listed.example': [['::ffff:127.0.0.1']],
  'compatible.listed.example': [['::127.0.0.1']],
  'nat64.listed.example': [['64:ff9b::7f00:1']],
  '6to4.listed.example': [['2002:7f00:1::']],
  'teredo.listed.example': [['2001:0:7f00:1::']],
  'zero.listed.example': [['0.0.0.0']],
  'zero6.listed.example': [['::']],
  'metadata.listed.example': [['169.254.169.254']],
  'metadata6.listed.example': [['fd00:ec2::254']],
  'link.listed.example': [['fe80::1']],
  'multicast.listed.example': [['224.0.0.1', 'ff02::1']],
  'all.listed.example': [['127.0.0.1', '::1', '169.254.169.254', '0.0.0.0', '::ffff:127.0.0.1']],
  'again.listed.example': [['169.254.169.254'], ['127.0.0.1'], ['::1']],
  'alias.listed.example': [[own]],
  'loopback.corp.example': [['127.0.0.1']],
  'v6.corp.example': [['::1']],
  'mapped.corp.example': [['::ffff:127.0.0.1', '::ffff:10.0.0.1']],
  'nat64.corp.example': [['64:ff9b::7f00:1', '64:ff9b::a00:1']],
  'zero.corp.example': [['0.0.0.0', '::']],
  'metadata.corp.example': [['169.254.169.254', '100.100.100.200', 'fd00:ec2::254', '168.63.129.16']],
  'link.corp.example': [['fe80::1', '169.254.1.1']],
}
