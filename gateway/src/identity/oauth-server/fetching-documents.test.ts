import { isIP } from 'node:net'
import { describe, expect, test } from 'vitest'
import { fetchDocument } from './fetching-documents.ts'

const none: ReadonlySet<string> = new Set()
const says = (address: string) => async () => [{ address, family: isIP(address) }]

/** Forms of an address as a URL may write it. */
const hostileHosts = [
  '127.0.0.1',
  '127.1',
  '2130706433',
  '0x7f000001',
  '0177.0.0.1',
  '0x7f.1',
  '127.0.0.1.',
  'localhost.',
  '0.0.0.0',
  '0',
  '10.0.0.1',
  '172.16.0.1',
  '192.168.1.1',
  '100.64.0.1',
  '169.254.169.254',
  '0xa9fea9fe',
  '2852039166',
  '168.63.129.16',
  '100.100.100.200',
  '192.0.0.192',
  '224.0.0.1',
  '255.255.255.255',
  '240.0.0.1',
  '198.18.0.1',
  '192.0.2.1',
  '[::]',
  '[::1]',
  '[::ffff:127.0.0.1]',
  '[::ffff:7f00:1]',
  '[::127.0.0.1]',
  '[64:ff9b::7f00:1]',
  '[64:ff9b:1::a00:1]',
  '[2002:7f00:1::]',
  '[2001:0:7f00:1::]',
  '[fe80::1]',
  '[fc00::1]',
  '[fd00:ec2::254]',
  '[fd20:ce::254]',
  '[ff02::1]',
  '[2001:db8::1]',
  '[5f00::1]',
  '127.0.0.1',
]

describe('a document is not fetched', () => {
  test.each(hostileHosts)('from %s', async (host) => {
    await expect(fetchDocument(`https://${host}/client`, { privateHosts: none })).rejects.toThrow(/not public|dot/)
  })

  test.each(['127.0.0.1', '10.1.2.3', '169.254.169.254', '::1', 'fe80::1', '::ffff:10.0.0.1', '0.0.0.0'])(
    'from a host whose name means %s, alone or among others',
    async (address) => {
      const options = { privateHosts: none, resolve: says(address) }
      await expect(fetchDocument('https://app.example/client', options)).rejects.toThrow('not public')
      const both = { privateHosts: none, resolve: async () => [...(await says('93.184.216.34')()), ...(await says(address)())] }
      await expect(fetchDocument('https://app.example/client', both)).rejects.toThrow('not public')
    },
  )

  test.each(['http://app.example/c', 'file:///etc/passwd', 'https://user:password@app.example/c'])('at %s', async (address) => {
    await expect(fetchDocument(address, { privateHosts: none, resolve: says('93.184.216.34') })).rejects.toThrow(/only https|password/)
  })

  test('from where platforms hand out credentials, whatever the administrator allows', async () => {
    const options = { privateHosts: new Set(['app.example']), resolve: says('169.254.169.254') }
    await expect(fetchDocument('https://app.example/client', options)).rejects.toThrow('not public')
  })
})
