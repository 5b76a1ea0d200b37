import { expect, test } from 'vitest'
import { ask, reachingFetch, type Reach } from './reaching.ts'
import { startScripted } from './scripted-issuer.fixture.ts'

const nowhere: Reach = { allowHttp: false, allowPrivate: false, trusted: [] }
const own: Reach = { ...nowhere, allowHttp: true }
const at = (address: string, reach: Reach = nowhere, addresses: readonly string[] = ['203.0.113.9']) =>
  ask(address, {}, reach, async () => addresses).then(
    (response) => response.status,
    (error: Error) => error.message,
  )

test.each([
  ['no address', 'nonsense'],
  ['another scheme', 'ftp://as.example/'],
  ['a file', 'file:///etc/passwd'],
  ['http without the word of an administrator', 'http://as.example/'],
  ['a user and a password', 'https://user:secret@as.example/'],
  ['an endless address', `https://as.example/${'x'.repeat(5000)}`],
])('%s is not asked', async (_what, address) => {
  const said = await at(address)
  expect(said).toMatch(/^it named|would be asked over http|holds a user/)
  expect(said).not.toContain('secret')
})

test.each([
  ['this machine', '127.0.0.1'],
  ['this machine, in IPv6', '::1'],
  ['a private network', '10.1.2.3'],
  ['a private network, in IPv6', 'fd12::1'],
  ['where clouds give out credentials', '169.254.169.254'],
  ['the same through a mapped address', '::ffff:169.254.169.254'],
  ['the same through NAT64', '64:ff9b::a9fe:a9fe'],
  ['every address there is', '0.0.0.0'],
  ['an address for documentation', '203.0.113.9'],
])('a name that leads to %s is not asked', async (_where, address) => {
  expect(await at('https://as.example/', nowhere, [address])).toMatch(/^`as\.example` leads to/)
})

test('an address that is written down as such is judged like one that a name leads to', async () => {
  for (const address of ['https://127.0.0.1/', 'https://[::1]/', 'https://0x7f.1/', 'https://2130706433/', 'https://169.254.169.254/'])
    expect(await at(address)).toMatch(/leads to/)
})

test('one bad address among good ones is enough', async () => {
  expect(await at('https://as.example/', nowhere, ['93.184.216.34', '10.0.0.1'])).toContain('a private address')
})

test('what an administrator allows is asked: this machine over http, private addresses; the metadata of a cloud never', async () => {
  await using there = await startScripted(() => ({ body: { ok: true } }))
  expect(await at(there.origin, own)).toBe(200)
  expect(await at('http://as.example/', own, ['10.0.0.1'])).toContain('over http and is not this machine')
  expect(await at('https://as.example/', { ...own, allowPrivate: true }, ['169.254.169.254'])).toContain('never asked')
})

test('a connection goes to the address that was judged, whatever the name leads to next', async () => {
  await using there = await startScripted(({ headers }) => ({ body: { host: headers.host } }))
  const { port } = new URL(there.origin)
  let lookups = 0
  const response = await ask(`http://as.example:${port}/`, {}, own, async () => (lookups++, lookups === 1 ? ['127.0.0.1'] : ['10.0.0.1']))
  expect(await response.json()).toEqual({ host: `as.example:${port}` })
  expect(lookups).toBe(1)
})

test('a redirect is an answer like any other, and nothing is asked where it leads', async () => {
  await using there = await startScripted(({ path }) =>
    path === '/' ? { status: 302, body: {}, headers: { location: '/secret' } } : { body: {} },
  )
  expect(await at(there.origin, own)).toBe(302)
  expect(there.at('/secret')).toEqual([])
})

test('an answer without end is cut off', async () => {
  await using there = await startScripted(() => ({ body: 'x'.repeat(300 * 1024) }))
  expect(await at(there.origin, own)).toContain('too long')
})

test('libraries that know `fetch` reach no further', async () => {
  const reach = reachingFetch(nowhere, async () => ['127.0.0.1'])
  await expect(reach('https://as.example/token', { method: 'POST', body: new URLSearchParams({ a: 'b' }) })).rejects.toThrow(
    'leads to this machine',
  )
})
