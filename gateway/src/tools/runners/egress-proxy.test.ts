/** The proxy over its real socket; names are resolved by the test. */
import { once } from 'node:events'
import { statSync, writeFileSync } from 'node:fs'
import { createServer, request } from 'node:http'
import { connect, type AddressInfo } from 'node:net'
import { afterAll, afterEach, describe, expect, test } from 'vitest'
import { connectingTo, connectTo, echo, listenTcp, openEgress, raw, type StartedEgress } from './egress.fixture.ts'
import { startEgress } from './egress.ts'
import { readRefusedHosts, refusedHostsFile } from './refused-hosts-file.ts'
import { freshFolder, recordingLogger, removeFolders } from './sandbox.fixture.ts'

afterAll(removeFolders)

let started: StartedEgress | undefined
afterEach(async () => started?.egress.close())
const start = async (...options: Parameters<typeof openEgress>): Promise<StartedEgress> => (started = await openEgress(...options))

describe('the egress proxy', () => {
  test.each([
    ['a host that is not listed', 'evil.example:443', 'not listed'],
    ['a port that is not listed', 'rebind.example:22', 'port'],
    ['a listed name that leads to the metadata service', 'rebind.example:443', 'not public'],
    ['a listed name that leads to loopback in IPv6 clothes', 'mapped.example:443', 'not public'],
    ['a listed name that does not resolve', 'gone.example:443', 'does not resolve'],
    ['localhost, even when listed', 'localhost:443', 'not public'],
    ['localhost, even when listed as private', 'localhost:8443', 'not public'],
    ['an address that is not written in the list', '127.0.0.1:443', 'not listed'],
  ])('refuses %s', async (_name, target, why) => {
    const list = ['rebind.example', 'mapped.example', 'gone.example', 'localhost', { host: 'localhost:8443', private: true }]
    const { proxy, lines } = await start(list, {
      'rebind.example': ['169.254.169.254', '10.0.0.1'],
      'mapped.example': ['::ffff:127.0.0.1', '64:ff9b::7f00:1'],
      localhost: ['127.0.0.1', '::1'],
    })
    expect(await raw(proxy, connectTo(target))).toMatch(/^HTTP\/1\.1 403 /)
    expect(lines).toHaveLength(1)
    expect(lines[0]?.fields.why).toContain(why)
  })

  test('reaches a private host by the name that is listed as private, at the address that was judged', async () => {
    await using web = await listenTcp(echo)
    const { dialled, connect: open } = connectingTo(web.port)
    const names = { 'git.corp.example': ['169.254.169.254', '10.1.2.3', '127.0.0.1'], 'other.corp.example': ['10.1.2.4'] }
    const { proxy } = await start([{ host: 'git.corp.example:443', private: true }, 'other.corp.example'], names, { connect: open })
    const client = connect(proxy)
    client.write(`${connectTo('git.corp.example:443')}hello`)
    let answer = ''
    for await (const chunk of client) {
      answer += String(chunk)
      if (answer.endsWith('hello')) client.end()
    }
    expect(answer).toBe('HTTP/1.1 200 Connection Established\r\n\r\nhello')
    expect(dialled).toEqual(['10.1.2.3 443'])
    expect(await raw(proxy, connectTo('other.corp.example:443'))).toContain('{ host: "other.corp.example:443", private: true }')
  })

  test('asks for a name once, and dials what was judged: a second answer changes nothing', async () => {
    await using web = await listenTcp(echo)
    const { dialled, connect: open } = connectingTo(web.port)
    let asked = 0
    const resolve = async (): Promise<readonly string[]> => (++asked === 1 ? ['93.184.216.34'] : ['127.0.0.1'])
    const { proxy } = await start(['rebind.example'], {}, { resolve, connect: open })
    const client = connect(proxy)
    client.write(connectTo('rebind.example:443'))
    await once(client, 'data')
    client.destroy()
    expect([asked, dialled]).toEqual([1, ['93.184.216.34 443']])
    expect(await raw(proxy, connectTo('rebind.example:443'))).toMatch(/^HTTP\/1\.1 403 /)
    expect(dialled).toHaveLength(1)
  })

  test('tries the next address of a name when one does not answer', async () => {
    await using web = await listenTcp(echo)
    const { connect: open } = connectingTo(web.port)
    const tried: string[] = []
    const names = { 'two.example': ['93.184.216.34', '93.184.216.35'] }
    const { proxy } = await start(['two.example'], names, {
      connect: (address, port) => {
        tried.push(address)
        return tried.length === 1 ? connect({ path: '/nowhere' }) : open(address, port)
      },
    })
    const client = connect(proxy)
    client.write(connectTo('two.example:443'))
    expect(String((await once(client, 'data'))[0])).toMatch(/^HTTP\/1\.1 200 /)
    client.destroy()
    expect(tried).toEqual(names['two.example'])
  })

  test('a refusal says the line that would allow it, is logged once, and is counted', async () => {
    const { proxy, lines, egress } = await start(['listed.example'])
    for (let tries = 0; tries < 3; tries += 1)
      expect(await raw(proxy, connectTo('evil.example:8443'))).toContain('in `servers.probe.network`: - "evil.example:8443"')
    expect(lines.map(({ fields }) => fields)).toEqual([
      expect.objectContaining({ host: 'evil.example', port: 8443, add: 'servers.probe.network: - "evil.example:8443"' }),
    ])
    expect(egress.refused()).toEqual([expect.objectContaining({ host: 'evil.example', port: 8443, times: 3 })])
  })

  test('what was refused is kept in a file, beside what was kept before, and nobody but its owner reads it', async () => {
    const folder = freshFolder()
    const refusedFile = refusedHostsFile(folder, 'probe')
    for (const host of ['one.example', 'two.example']) {
      const { proxy, egress } = await openEgress([], {}, { refusedFile })
      await raw(proxy, connectTo(`${host}:443`))
      await egress.close()
    }
    const kept = await readRefusedHosts(folder)
    expect(kept.get('probe')?.map(({ host, add }) => [host, add])).toEqual([
      ['one.example', '"one.example:443"'],
      ['two.example', '"two.example:443"'],
    ])
    expect(statSync(refusedFile).mode & 0o777).toBe(0o600)
    writeFileSync(refusedFile, '[{"host": 7}]')
    expect((await readRefusedHosts(folder)).get('probe')).toEqual([])
  })

  test('a server that scans fills neither the log nor the list', async () => {
    const { proxy, lines, egress } = await start([])
    for (let port = 1; port <= 130; port += 1) await raw(proxy, connectTo(`evil.example:${port}`))
    expect([lines.length, egress.refused().length, lines.at(-1)?.fields.last]).toEqual([100, 100, true])
  })

  test.each([
    'GET / HTTP/1.1\r\nhost: a\r\n\r\n',
    'GET https://listed.example/ HTTP/1.1\r\nhost: a\r\n\r\n',
    'GET http://user:pass@listed.example/ HTTP/1.1\r\nhost: a\r\n\r\n',
    'GET ftp://listed.example/ HTTP/1.1\r\nhost: a\r\n\r\n',
  ])('refuses %j', async (text) => {
    const { proxy } = await start(['listed.example'], { 'listed.example': ['93.184.216.34'] })
    expect(await raw(proxy, text.replace('\r\n\r\n', '\r\nconnection: close\r\n\r\n'))).toMatch(/^HTTP\/1\.1 403 /)
  })

  test('forwards to a listed address without the headers of the hop, and hands a redirect back', async () => {
    const web = createServer((incoming, response) =>
      response.writeHead(302, { location: 'http://169.254.169.254/' }).end(JSON.stringify(incoming.headers)),
    ).listen(0, '127.0.0.1')
    await once(web, 'listening')
    const host = `127.0.0.1:${(web.address() as AddressInfo).port}`
    const { proxy } = await start([host])
    const outgoing = request({
      socketPath: proxy,
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
    await using web = await listenTcp(() => {})
    const { proxy, egress } = await start([`127.0.0.1:${web.port}`])
    const client = connect(proxy)
    client.write(connectTo(`127.0.0.1:${web.port}`))
    const [answer] = (await once(client, 'data')) as [Buffer]
    expect(String(answer)).toMatch(/^HTTP\/1\.1 200 /)
    const closed = once(client, 'close')
    client.resume()
    await egress.close()
    await closed
  })

  test('a path the kernel would cut is refused', async () => {
    const { logger } = recordingLogger()
    const folder = `${freshFolder()}/${'x'.repeat(120)}`
    await expect(startEgress({ server: 'probe', network: [], folder, logger })).rejects.toMatchObject({ code: 'sandbox.unavailable' })
  })
})
