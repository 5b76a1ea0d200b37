/** A server that has been taken over and speaks HTTP to the proxy as badly as it can. */
import { once } from 'node:events'
import { createServer, type Server } from 'node:http'
import { connect, type AddressInfo } from 'node:net'
import { afterAll, afterEach, beforeEach, describe, expect, test } from 'vitest'
import { connectTo, echo, listenTcp, openEgress, raw, type StartedEgress } from './egress.fixture.ts'
import { removeFolders } from './sandbox.fixture.ts'

afterAll(removeFolders)

let web: Server
let host: string
/** What the listed host was asked, request by request. */
let asked: string[]
let started: StartedEgress

beforeEach(async () => {
  asked = []
  web = createServer((incoming, response) => {
    let body = ''
    incoming.setEncoding('latin1').on('data', (text: string) => (body += text))
    incoming.on('end', () => {
      asked.push(`${incoming.method} ${incoming.url} ${incoming.headers.host} ${body}`.trim())
      response.end('answer')
    })
  }).listen(0, '127.0.0.1')
  await once(web, 'listening')
  host = `127.0.0.1:${(web.address() as AddressInfo).port}`
  started = await openEgress([host])
})

afterEach(async () => {
  await started.egress.close()
  web.closeAllConnections()
  web.close()
})

const send = (text: string): Promise<string> => raw(started.proxy, text)

describe('a hostile client of the proxy', () => {
  test.each([
    ['content-length: 5', 'hello'],
    ['transfer-encoding: chunked', '5\r\nhello\r\n0\r\n\r\n'],
  ])('gets no tunnel for a CONNECT with a body (%s)', async (header, body) => {
    expect(await send(`CONNECT ${host} HTTP/1.1\r\nhost: ${host}\r\n${header}\r\n\r\n${body}`)).toMatch(/^HTTP\/1\.1 400 /)
    expect(asked).toEqual([])
  })

  test('cannot hide a second request in the body of a first one, whatever the method', async () => {
    const hidden = `GET /hidden HTTP/1.1\r\nhost: inside.example\r\n\r\n`
    for (const method of ['GET', 'DELETE', 'POST', 'OPTIONS']) {
      asked = []
      const chunk = `${hidden.length.toString(16)}\r\n${hidden}\r\n0\r\n\r\n`
      const head = `${method} http://${host}/shown HTTP/1.1\r\nhost: ${host}\r\nconnection: close\r\ntransfer-encoding: chunked\r\n\r\n`
      expect(await send(head + chunk)).toContain('answer')
      expect(asked).toEqual([`${method} /shown ${host} ${hidden.trim()}`])
    }
  })

  test.each([
    ['two lengths', 'content-length: 4\r\ncontent-length: 5\r\n\r\nhello'],
    ['a length and pieces', 'content-length: 5\r\ntransfer-encoding: chunked\r\n\r\n0\r\n\r\n'],
    ['an unknown coding', 'transfer-encoding: xchunked\r\n\r\n0\r\n\r\n'],
    ['a coding after pieces', 'transfer-encoding: chunked, identity\r\n\r\n0\r\n\r\n'],
    ['a folded header', 'x-one: a\r\n b\r\n\r\n'],
    ['a blank before the colon', 'content-length : 5\r\n\r\nhello'],
    ['a line break alone', 'x-one: a\nx-two: b\n\n'],
    ['a NUL', 'x-one: a\0b\r\n\r\n'],
    ['a length that is no number', 'content-length: +5\r\n\r\nhello'],
    ['a size of a piece that is no number', 'transfer-encoding: chunked\r\n\r\n0x5\r\nhello\r\n0\r\n\r\n'],
    ['a head that is too large', `x-one: ${'a'.repeat(40_000)}\r\n\r\n`],
    ['too many headers for it', `${Array.from({ length: 4000 }, (_, index) => `x${index}: aaaaaaaa`).join('\r\n')}\r\n\r\n`],
  ])('reaches nobody with %s', async (_what, rest) => {
    const answer = await send(`POST http://${host}/ HTTP/1.1\r\nhost: ${host}\r\nconnection: close\r\n${rest}`)
    expect(answer).not.toContain('answer')
    expect(asked).toEqual([])
  })

  test.each([
    '127.0.0.1:80 HTTP/1.1\r\nx: ',
    `listed\0${'a'}.example:443`,
    'a b:443',
    '%31%32%37.0.0.1:80',
    'http://127.0.0.1:80/',
    '/',
    '*',
  ])('gets no tunnel to %j', async (target) => {
    expect(await send(connectTo(target))).not.toMatch(/^HTTP\/1\.1 200 /)
    expect(asked).toEqual([])
  })

  test('is refused each request for itself: what was allowed before allows nothing', async () => {
    const answer = await send(
      `GET http://${host}/one HTTP/1.1\r\nhost: ${host}\r\n\r\nGET http://inside.example/two HTTP/1.1\r\nhost: ${host}\r\n\r\n`,
    )
    expect(answer.match(/HTTP\/1\.1 \d+/g)).toEqual(['HTTP/1.1 200', 'HTTP/1.1 403'])
    expect(asked).toEqual([`GET /one ${host}`])
  })

  test('sends nothing along with a tunnel that is refused', async () => {
    expect(await send(`${connectTo('inside.example:80')}GET / HTTP/1.1\r\nhost: ${host}\r\n\r\n`)).toMatch(/^HTTP\/1\.1 403 /)
    expect(asked).toEqual([])
  })

  test('is spoken to in HTTP/1.0 as in HTTP/1.1', async () => {
    expect(await send(`GET http://${host}/old HTTP/1.0\r\n\r\n`)).toContain('answer')
    expect(await send(`GET http://inside.example/ HTTP/1.0\r\n\r\n`)).toMatch(/ 403 /)
    expect(asked).toEqual([`GET /old ${host}`])
    expect(await send(connectTo('inside.example:80', '1.0'))).toMatch(/ 403 /)
  })

  test('is not waited for: a head that does not come is cut', async () => {
    const hasty = await openEgress([host], {}, { headersMs: 100 })
    const client = connect(hasty.proxy)
    client.write(`GET http://${host}/ HTTP/1.1\r\nhost: `)
    client.resume()
    await once(client, 'close')
    await hasty.egress.close()
    expect(asked).toEqual([])
  })

  test('has 128 connections of ten thousand, and those work', async () => {
    await using far = await listenTcp(echo)
    const many = await openEgress([`127.0.0.1:${far.port}`])
    let closed = 0
    const tunnels = await Promise.all(
      Array.from({ length: 128 }, async () => {
        const client = connect(many.proxy)
        client.write(connectTo(`127.0.0.1:${far.port}`))
        await once(client, 'data')
        return client
      }),
    )
    for (let round = 0; round < 100; round += 1) {
      const more = Array.from({ length: 100 }, () => connect(many.proxy).on('error', () => {}))
      await Promise.all(more.map((client) => new Promise((resolve) => client.resume().once('close', resolve))))
      closed += more.length
    }
    expect([closed, far.connections()]).toEqual([10_000, 128])
    for (const client of tunnels) client.write('ping')
    expect(await Promise.all(tunnels.map(async (client) => String((await once(client, 'data'))[0])))).toEqual(tunnels.map(() => 'ping'))
    await many.egress.close()
  })
})

describe('a hostile host behind the proxy', () => {
  test.each([
    ['no HTTP', 'SSH-2.0-OpenSSH_9\r\n'],
    ['a length and pieces', 'HTTP/1.1 200 OK\r\ncontent-length: 5\r\ntransfer-encoding: chunked\r\n\r\n0\r\n\r\n'],
    ['two lengths', 'HTTP/1.1 200 OK\r\ncontent-length: 4\r\ncontent-length: 5\r\n\r\nhello'],
    ['an endless head', `HTTP/1.1 200 OK\r\nx: ${'a'.repeat(200_000)}`],
    ['an upgrade nobody asked for', 'HTTP/1.1 101 Switching Protocols\r\nconnection: upgrade\r\nupgrade: x\r\n\r\n'],
    ['nothing', ''],
  ])('that answers with %s is a broken host', async (_what, answer) => {
    await using far = await listenTcp((socket) => {
      socket.once('data', () => socket.end(answer))
    })
    const { proxy, egress } = await openEgress([`127.0.0.1:${far.port}`])
    const said = await raw(proxy, `GET http://127.0.0.1:${far.port}/ HTTP/1.1\r\nhost: a\r\nconnection: close\r\n\r\n`)
    expect(said).toMatch(/^HTTP\/1\.1 502 /)
    await egress.close()
  })
})
