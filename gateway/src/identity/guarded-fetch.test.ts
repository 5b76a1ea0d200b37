/** What an identity provider may make us ask: its own address, public ones, and nothing else. */
import { createServer, type Server } from 'node:http'
import type { AddressInfo } from 'node:net'
import { afterAll, beforeAll, describe, expect, test } from 'vitest'
import { guardedFetch } from './guarded-fetch.ts'

let server: Server
let port: number
const seen: string[] = []

beforeAll(async () => {
  server = createServer((request, response) => {
    seen.push(`${request.method} ${request.headers.host} ${request.url}`)
    if (request.url === '/moved') response.writeHead(302, { location: 'http://169.254.169.254/' }).end()
    else if (request.url === '/much') response.end('x'.repeat(1024 * 1024 + 1))
    else request.pipe(response.setHeader('content-type', 'text/plain'))
  })
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve))
  port = (server.address() as AddressInfo).port
})
afterAll(async () => {
  server.closeAllConnections()
  await new Promise((resolve) => server.close(resolve))
})

const home = 'https://idp.acme.example'
/** What becomes of asking for an address whose name leads to these. */
async function asked(
  address: string,
  addresses: readonly string[],
  options: { readonly home?: string; readonly allowHttp?: boolean } = {},
): Promise<string> {
  const fetch = guardedFetch({
    home,
    allowHttp: false,
    ...options,
    resolve: async () => addresses.map((one) => ({ address: one, family: one.includes(':') ? 6 : 4 })),
  })
  // Whoever may be asked is not there, or is not waited for.
  return fetch(address, { signal: AbortSignal.abort() }).then(
    () => 'answered',
    (error: Error) => (error.message.includes('may not be asked') || error.message.includes('https only') ? 'refused' : 'dialled'),
  )
}

describe('the address of the issuer itself', () => {
  test.each(['93.184.216.34', '10.0.0.7', '192.168.1.1', 'fd12::1', '127.0.0.1', '::1'])('may be %s', async (address) => {
    expect(await asked(`${home}/keys`, [address])).toBe('dialled')
  })

  test.each([
    '169.254.169.254',
    '0.0.0.0',
    '224.0.0.1',
    '255.255.255.255',
    '100.100.100.200',
    'fd00:ec2::254',
    'fe80::1',
    '::',
    '::ffff:10.0.0.1',
    '64:ff9b::a00:1',
    '192.0.2.1',
  ])('may not be %s', async (address) => {
    expect(await asked(`${home}/keys`, [address])).toBe('refused')
  })
})

describe('another address that it names', () => {
  test.each(['93.184.216.34', '2606:2800:220:1:248:1893:25c8:1946'])('may be %s', async (address) => {
    expect(await asked('https://keys.acme.example/', [address])).toBe('dialled')
  })

  test.each([
    '10.0.0.7',
    '172.16.0.1',
    '192.168.1.1',
    '100.64.0.1',
    'fd12::1',
    '127.0.0.1',
    '127.9.9.9',
    '::1',
    '169.254.169.254',
    '::ffff:127.0.0.1',
    '2002:7f00:1::',
  ])('may not be %s', async (address) => {
    expect(await asked('https://keys.acme.example/', [address])).toBe('refused')
  })

  test.each([
    'https://127.0.0.1/',
    'https://2130706433/',
    'https://0x7f.1/',
    'https://0177.0.0.1/',
    'https://[::1]/',
    'https://[::ffff:7f00:1]/',
    'https://10.1/',
  ])('may not be written %s', async (address) => {
    expect(await asked(address, ['93.184.216.34'])).toBe('refused')
  })

  test('may not have one address among others that could not be asked', async () => {
    expect(await asked('https://keys.acme.example/', ['93.184.216.34', '10.0.0.7'])).toBe('refused')
    expect(await asked('https://keys.acme.example/', [])).toBe('refused')
  })
})

describe('http', () => {
  test('is for the issuer itself, on this machine, where it is allowed', async () => {
    const plain = { home: 'http://idp.acme.example', allowHttp: true }
    expect(await asked('http://idp.acme.example/', ['127.0.0.1'], plain)).toBe('dialled')
    expect(await asked('http://idp.acme.example/', ['10.0.0.7'], plain)).toBe('refused')
    expect(await asked('http://other.acme.example/', ['127.0.0.1'], plain)).toBe('refused')
    expect(await asked('http://idp.acme.example/', ['127.0.0.1'], { ...plain, allowHttp: false })).toBe('refused')
    for (const scheme of ['ftp', 'file', 'gopher', 'data'])
      expect(await asked(`${scheme}://idp.acme.example/`, ['127.0.0.1'], plain)).toBe('refused')
  })
})

describe('what is asked', () => {
  const fetchHere = () =>
    guardedFetch({ home: `http://idp.acme.example:${port}`, allowHttp: true, resolve: async () => [{ address: '127.0.0.1', family: 4 }] })
  const at = (path: string): string => `http://idp.acme.example:${port}${path}`

  test('goes to the address that was looked at, under the name that was meant', async () => {
    const response = await fetchHere()(at('/token'), { method: 'POST', body: new URLSearchParams({ a: 'b' }), headers: { accept: 'x' } })
    expect([response.status, await response.text()]).toEqual([200, 'a=b'])
    expect(seen.at(-1)).toBe(`POST idp.acme.example:${port} /token`)
  })

  test('is not asked elsewhere when it has moved', async () => {
    expect((await fetchHere()(at('/moved'))).status).toBe(302)
  })

  test('is not read when there is too much of it', async () => {
    await expect(fetchHere()(at('/much'))).rejects.toThrow('more than 1048576 bytes')
  })

  test('has no name and password in its address', async () => {
    await expect(fetchHere()(`http://name:word@idp.acme.example:${port}/`)).rejects.toThrow('a name and a password')
  })
})
