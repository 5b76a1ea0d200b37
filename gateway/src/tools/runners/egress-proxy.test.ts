/** The proxy over its real socket; names are resolved by the test. */
import { once } from 'node:events'
import { createServer, request } from 'node:http'
import { connect, type AddressInfo } from 'node:net'
import { join } from 'node:path'
import { afterAll, afterEach, describe, expect, test } from 'vitest'
import { startEgressProxy, type EgressProxy } from './egress-proxy.ts'
import { freshFolder, removeFolders, recordingLogger, type LogLine } from './sandbox.fixture.ts'

afterAll(removeFolders)

let proxy: EgressProxy | undefined
afterEach(async () => proxy?.close())

async function start(
  allow: readonly string[],
  names: Record<string, readonly string[]> = {},
): Promise<{ readonly socket: string; readonly lines: LogLine[] }> {
  const socket = join(freshFolder(), 'egress.sock')
  const { logger, lines } = recordingLogger()
  const resolve = async (host: string) => names[host] ?? Promise.reject(new Error('ENOTFOUND'))
  proxy = await startEgressProxy({ server: 'probe', allow, socket, logger, resolve })
  return { socket, lines }
}

async function raw(socket: string, text: string): Promise<string> {
  const client = connect(socket)
  client.write(text)
  let answer = ''
  try {
    for await (const chunk of client) answer += String(chunk)
  } catch {
    // A cut connection is an answer too.
  }
  return answer
}

const connectTo = (target: string) => `CONNECT ${target} HTTP/1.1\r\nhost: ${target}\r\n\r\n`

describe('the egress proxy', () => {
  test.each([
    ['a host that is not listed', 'evil.example:443', 'not listed'],
    ['a port that is not listed', 'rebind.example:22', 'port'],
    ['a listed name that leads to the metadata service', 'rebind.example:443', 'not public'],
    ['a listed name that leads to loopback in IPv6 clothes', 'mapped.example:443', 'not public'],
    ['a listed name that does not resolve', 'gone.example:443', 'does not resolve'],
    ['localhost, even when listed', 'localhost:443', 'not public'],
    ['an address that is not written in the list', '127.0.0.1:443', 'not listed'],
  ])('refuses %s', async (_name, target, why) => {
    const { socket, lines } = await start(['rebind.example', 'mapped.example', 'gone.example', 'localhost'], {
      'rebind.example': ['169.254.169.254', '10.0.0.1'],
      'mapped.example': ['::ffff:127.0.0.1', '64:ff9b::7f00:1'],
      localhost: ['127.0.0.1', '::1'],
    })
    expect(await raw(socket, connectTo(target))).toMatch(/^HTTP\/1\.1 403 /)
    expect(lines).toHaveLength(1)
    expect(lines[0]?.fields.why).toContain(why)
  })

  test.each([
    'GET / HTTP/1.1\r\nhost: a\r\n\r\n',
    'GET https://listed.example/ HTTP/1.1\r\nhost: a\r\n\r\n',
    'GET http://user:pass@listed.example/ HTTP/1.1\r\nhost: a\r\n\r\n',
    'GET ftp://listed.example/ HTTP/1.1\r\nhost: a\r\n\r\n',
  ])('refuses %j', async (text) => {
    const { socket } = await start(['listed.example'], { 'listed.example': ['93.184.216.34'] })
    expect(await raw(socket, text.replace('\r\n\r\n', '\r\nconnection: close\r\n\r\n'))).toMatch(/^HTTP\/1\.1 403 /)
  })

  test('cuts an upgrade and bytes that are not HTTP', async () => {
    const { socket } = await start(['127.0.0.1:80'])
    expect(await raw(socket, 'GET http://127.0.0.1/ HTTP/1.1\r\nhost: a\r\nconnection: upgrade\r\nupgrade: websocket\r\n\r\n')).toBe('')
    expect(await raw(socket, '\x16\x03\x01 not http\r\n\r\n')).toBe('')
  })

  test('forwards to a listed address without the headers of the hop, and hands a redirect back', async () => {
    const web = createServer((incoming, response) =>
      response.writeHead(302, { location: 'http://169.254.169.254/' }).end(JSON.stringify(incoming.headers)),
    ).listen(0, '127.0.0.1')
    await once(web, 'listening')
    const host = `127.0.0.1:${(web.address() as AddressInfo).port}`
    const { socket } = await start([host])
    const outgoing = request({
      socketPath: socket,
      path: `http://${host}/x`,
      headers: { host: 'other.example', 'proxy-authorization': 'Basic secret', 'x-kept': '1', connection: 'close, x-drop', 'x-drop': '1' },
    }).end()
    const [response] = (await once(outgoing, 'response')) as [
      NodeJS.ReadableStream & { readonly statusCode: number; readonly headers: Record<string, string> },
    ]
    let body = ''
    for await (const chunk of response) body += String(chunk)
    web.close()
    const headers = JSON.parse(body) as Record<string, string>
    expect([response.statusCode, response.headers.location]).toEqual([302, 'http://169.254.169.254/'])
    expect(headers).toMatchObject({ host, 'x-kept': '1' })
    expect(Object.keys(headers)).not.toEqual(expect.arrayContaining(['proxy-authorization']))
    expect(headers).not.toHaveProperty('x-drop')
  })

  test('close cuts open tunnels', async () => {
    const web = createServer().listen(0, '127.0.0.1')
    await once(web, 'listening')
    const host = `127.0.0.1:${(web.address() as AddressInfo).port}`
    const { socket } = await start([host])
    const client = connect(socket)
    client.write(connectTo(host))
    const [answer] = (await once(client, 'data')) as [Buffer]
    expect(String(answer)).toMatch(/^HTTP\/1\.1 200 /)
    const closed = once(client, 'close')
    client.resume()
    await proxy?.close()
    await closed
    web.close()
  })

  test('a path the kernel would cut is refused', async () => {
    const { logger } = recordingLogger()
    await expect(startEgressProxy({ server: 'probe', allow: [], socket: `/tmp/${'x'.repeat(200)}`, logger })).rejects.toMatchObject({
      code: 'sandbox.unavailable',
    })
  })
})
