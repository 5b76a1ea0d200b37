import { connect } from 'node:net'
import { setImmediate as turn } from 'node:timers/promises'
import { getCACertificates, setDefaultCACertificates, type TLSSocket } from 'node:tls'
import { afterEach, beforeEach, describe, expect, test } from 'vitest'
import { selfSigned } from './certificate.fixture.ts'
import {
  answerOf,
  closeAll,
  fetchText,
  patternOf,
  poolOf,
  rawConnections,
  rawServer,
  send,
  type ReceivedRequest,
} from './raw-server.fixture.ts'

const trusted = selfSigned()

beforeEach(() => {
  setDefaultCACertificates([trusted.cert])
})

afterEach(async () => {
  setDefaultCACertificates(getCACertificates('bundled'))
  await closeAll()
})

function echo({ socket, path, connection }: ReceivedRequest): void {
  socket.write(answerOf(`${path} on ${connection}`))
}

describe('a secure connection', () => {
  test('is used again, and speaks HTTP/1.1 only', async () => {
    const server = await rawServer(echo, { tls: { ...trusted, ALPNProtocols: ['h2', 'http/1.1'] } })
    const pool = poolOf(server.origin)
    expect([await fetchText(pool, '/a'), await fetchText(pool, '/b'), server.sockets.length]).toEqual(['/a on 0', '/b on 0', 1])
    expect((server.sockets[0] as TLSSocket).alpnProtocol).toBe('http/1.1')
  })

  test('names the host it wants, if it has a name', async () => {
    const names: unknown[] = []
    const server = await rawServer(
      (request) => {
        names.push((request.socket as TLSSocket & { servername?: unknown }).servername)
        echo(request)
      },
      { tls: trusted },
    )
    expect(await fetchText(poolOf(server.origin.replace('127.0.0.1', 'localhost')), '/a')).toBe('/a on 0')
    expect(await fetchText(poolOf(server.origin), '/b')).toBe('/b on 1')
    expect(names).toEqual(['localhost', false])
  })

  test('brings a megabyte there and back', async () => {
    const bytes = patternOf(1024 * 1024)
    const { origin } = await rawServer(
      ({ socket, body }) => {
        socket.write(`HTTP/1.1 200 OK\r\ncontent-length: ${body.length}\r\n\r\n`)
        socket.write(body)
      },
      { tls: trusted },
    )
    const { hearing } = send(poolOf(origin), { body: bytes })
    await hearing.over
    expect(hearing.body.equals(bytes)).toBe(true)
  })

  test.each([0, 1, 2])('is made though the exchange is paused after %i turns, which hears nothing until it is resumed', async (turns) => {
    const asked = Promise.withResolvers<void>()
    const { origin } = await rawServer(
      (request) => {
        echo(request)
        if (request.path === '/a') asked.resolve()
      },
      { tls: trusted },
    )
    const { exchange, hearing } = send(poolOf(origin), { path: '/a' })
    for (let count = 0; count < turns; count += 1) await turn()
    exchange.pause()
    await asked.promise
    await fetchText(poolOf(origin))
    expect(hearing.calls).toEqual([])
    exchange.resume()
    await hearing.over
    expect(hearing.outcome).toBe('/a on 0')
  })
})

describe('an upstream that is not who it should be', () => {
  test('has a certificate nobody trusts: nothing is sent to it', async () => {
    let requests = 0
    const { origin } = await rawServer(() => (requests += 1), { tls: selfSigned() })
    const { hearing } = send(poolOf(origin))
    await hearing.over
    expect([hearing.calls, hearing.outcome, requests]).toEqual([['error'], 'DEPTH_ZERO_SELF_SIGNED_CERT', 0])
  })

  test.each(['127.0.0.1', 'localhost'])('has a certificate for another host than %s', async (host) => {
    let requests = 0
    const other = selfSigned('other.test', [127, 0, 0, 9])
    setDefaultCACertificates([other.cert])
    const { origin } = await rawServer(() => (requests += 1), { tls: other })
    expect([await fetchText(poolOf(origin.replace('127.0.0.1', host))), requests]).toEqual(['ERR_TLS_CERT_ALTNAME_INVALID', 0])
  })

  test('does not speak TLS', async () => {
    const { origin } = await rawConnections((socket) => socket.resume().end(answerOf('plain')))
    const { hearing } = send(poolOf(origin.replace('http:', 'https:')))
    await hearing.over
    expect([hearing.calls, hearing.outcome]).toEqual([['error'], expect.stringMatching(/^ERR_SSL_/)])
  })
})

describe('a TLS session', () => {
  /** Answers whether the session was taken up again, and closes. */
  function closing({ socket }: ReceivedRequest): void {
    socket.end(answerOf((socket as TLSSocket).isSessionReused() ? 'again' : 'anew', 'connection: close'))
  }

  test.each(['TLSv1.2', 'TLSv1.3'] as const)('of %s is taken up again by the next connection', async (version) => {
    const { origin } = await rawServer(closing, { tls: { ...trusted, minVersion: version, maxVersion: version } })
    const pool = poolOf(origin)
    expect([await fetchText(pool), await fetchText(pool), await fetchText(poolOf(origin))]).toEqual(['anew', 'again', 'anew'])
  })

  test('that may be why a handshake failed is not tried again', async () => {
    const server = await rawServer(closing, { tls: trusted })
    const front = await rawConnections((socket, connection) => {
      if (connection === 1) return socket.destroy()
      const behind = connect(Number(new URL(server.origin).port), '127.0.0.1')
      socket.pipe(behind).pipe(socket)
      behind.on('error', () => {})
    })
    const pool = poolOf(front.origin.replace('http:', 'https:'))
    expect(await fetchText(pool)).toBe('anew')
    expect(await fetchText(pool)).toMatch(/^(ECONNRESET|HTTP_CLOSED)$/)
    expect([await fetchText(pool), await fetchText(pool)]).toEqual(['anew', 'again'])
  })
})

test('an answer in the record behind an answer is never that to another request', async () => {
  const record = 16_384
  const head = 'HTTP/1.1 200 OK\r\ncontent-length: '
  const first = `${head}${record - head.length - 9}\r\n\r\n`.padEnd(record, 'x')
  const server = await rawServer(
    (request) => {
      if (request.connection === 0) request.socket.write(first + answerOf('stray'))
      else echo(request)
    },
    { tls: trusted },
  )
  const pool = poolOf(server.origin, { connections: 1 })
  const [one, ...others] = await Promise.all(['/a', '/b', '/c'].map((path) => fetchText(pool, path)))
  expect([one?.length, others]).toEqual([record - head.length - 9, ['/b on 1', '/c on 1']])
  await server.closed(0)
})
