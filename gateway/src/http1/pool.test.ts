import { networkInterfaces } from 'node:os'
import { setImmediate as turn } from 'node:timers/promises'
import { afterEach, describe, expect, test, vi } from 'vitest'
import {
  answerOf,
  closeAll,
  fetchText,
  Hearing,
  patternOf,
  poolOf,
  rawConnections,
  rawServer,
  send,
  type ReceivedRequest,
} from './raw-server.fixture.ts'

afterEach(closeAll)

/** Answers with its path, its body and the number of its connection. */
function echo({ socket, path, body, connection }: ReceivedRequest): void {
  socket.write(answerOf(`${path} ${body.toString()} on ${connection}`))
}

/** Until connections that were answered are free. */
async function settled(): Promise<void> {
  for (let turns = 0; turns < 3; turns += 1) await turn()
}

describe('an exchange', () => {
  test('sends a request and brings an answer', async () => {
    const requests: ReceivedRequest[] = []
    const { origin } = await rawServer((request) => {
      requests.push(request)
      request.socket.write(answerOf('h\u00e9llo', 'x-a: 1', 'X-A: 2'))
    })
    const { hearing } = send(poolOf(origin), { path: '/a?b', headers: ['x-b', 'c'], body: '\u20ac' })
    await hearing.over
    expect([hearing.calls, hearing.status, hearing.headers, hearing.outcome]).toEqual([
      ['head', 'data', 'end'],
      200,
      { 'content-length': '6', 'x-a': ['1', '2'] },
      'h\u00e9llo',
    ])
    expect(requests.map(({ head, body }) => [head, body.toString()])).toEqual([
      [`POST /a?b HTTP/1.1\r\nhost: ${new URL(origin).host}\r\nconnection: keep-alive\r\nx-b: c\r\ncontent-length: 3`, '\u20ac'],
    ])
  })

  test('does not tell of interim answers', async () => {
    const { origin } = await rawServer(({ socket }) =>
      socket.write(`HTTP/1.1 100 Continue\r\n\r\nHTTP/1.1 103 Early Hints\r\nlink: a\r\n\r\n${answerOf('final')}`),
    )
    const { hearing } = send(poolOf(origin))
    await hearing.over
    expect([hearing.calls, hearing.status, hearing.headers, hearing.outcome]).toEqual([
      ['head', 'data', 'end'],
      200,
      { 'content-length': '5' },
      'final',
    ])
  })

  test.each([63 * 1024, 65 * 1024, 1024 * 1024])('brings %i bytes there and back', async (length) => {
    const { origin } = await rawServer(({ socket, body }) => {
      socket.write(`HTTP/1.1 200 OK\r\ncontent-length: ${body.length}\r\n\r\n`)
      socket.write(body)
    })
    const bytes = patternOf(length)
    const { hearing } = send(poolOf(origin), { body: bytes })
    await hearing.over
    expect(hearing.body.equals(bytes)).toBe(true)
  })

  const hasIpv6 = Object.values(networkInterfaces()).some((addresses) => addresses?.some(({ address }) => address === '::1'))
  test.skipIf(!hasIpv6)('reaches an IPv6 address', async () => {
    const { origin } = await rawServer(({ socket, head }) => socket.write(answerOf(head)), { host: '::1' })
    expect(await fetchText(poolOf(origin))).toContain(`host: ${new URL(origin).host}\r\n`)
  })

  test.each([
    ['its path', { path: '/ a' }],
    ['a header of the connection', { headers: ['Host', 'other.test'] }],
    ['a header of the framing', { headers: ['content-length', '0'] }],
    ['another header of the framing', { headers: ['Transfer-Encoding', 'chunked'] }],
    ['a line end in a value', { headers: ['a', 'b\r\nc: d'] }],
  ])('is refused at once for %s, and nothing of it is sent', async (_why, request) => {
    const paths: string[] = []
    const server = await rawServer((received) => {
      paths.push(received.path)
      echo(received)
    })
    const pool = poolOf(server.origin)
    const { exchange, hearing } = send(pool, request)
    expect([hearing.calls, hearing.outcome]).toEqual([['error'], 'HTTP_INVALID_REQUEST'])
    for (const act of ['pause', 'resume', 'abort'] as const) exchange[act]()
    await fetchText(pool, '/next')
    expect([paths, server.sockets.length, hearing.calls]).toEqual([['/next'], 1, ['error']])
  })
})

describe('connections', () => {
  test('are used again', async () => {
    const { origin, sockets } = await rawServer(echo)
    const pool = poolOf(origin)
    expect([await fetchText(pool, '/a'), await fetchText(pool, '/b'), await fetchText(pool, '/c')]).toEqual([
      '/a  on 0',
      '/b  on 0',
      '/c  on 0',
    ])
    expect(sockets.length).toBe(1)
  })

  test('are used again, the most recently used first', async () => {
    const held: ReceivedRequest[] = []
    const bothHere = Promise.withResolvers<void>()
    const { origin } = await rawServer((request) => {
      if (request.path === '/last') echo(request)
      else if (held.push(request) === 2) bothHere.resolve()
    })
    const pool = poolOf(origin)
    const sent = [send(pool), send(pool)]
    await bothHere.promise
    const [one, other] = held
    for (const request of [other, one]) {
      if (request === undefined) throw new Error('two requests were held')
      echo(request)
      await sent[request.connection]?.hearing.over
      await settled()
    }
    expect([one?.connection, await fetchText(pool, '/last')]).toEqual([0, '/last  on 0'])
  })

  test('are no more than configured: requests wait in the order they came', async () => {
    const paths: string[] = []
    const { origin, sockets } = await rawServer((request) => {
      paths.push(request.path)
      echo(request)
    })
    const pool = poolOf(origin, { connections: 1 })
    await Promise.all(['/a', '/b', '/c', '/d'].map((path) => fetchText(pool, path)))
    expect([paths, sockets.length]).toEqual([['/a', '/b', '/c', '/d'], 1])
  })

  test('give two hundred exchanges at one time to everybody their own answer', async () => {
    const { origin, sockets } = await rawServer(async ({ socket, path, body, connection }) => {
      const turns = (Number(path.slice(1)) * 7) % 5
      for (let count = 0; count < turns; count += 1) await turn()
      const text = `${path} ${body.toString()} on ${connection}`
      if (turns % 2 === 0) socket.write(answerOf(text))
      else
        socket.write(
          `HTTP/1.1 200 OK\r\ntransfer-encoding: chunked\r\n\r\n2\r\n${text.slice(0, 2)}\r\n${(text.length - 2).toString(16)}\r\n${text.slice(2)}\r\n0\r\n\r\n`,
        )
    })
    const pool = poolOf(origin, { connections: 5 })
    const ids = Array.from({ length: 200 }, (_, index) => index)
    const answers = await Promise.all(ids.map((id) => fetchText(pool, `/${id}`, `body ${id}`)))
    expect(answers.map((answer) => answer.replace(/ on \d$/, ''))).toEqual(ids.map((id) => `/${id} body ${id}`))
    expect(sockets.length).toBe(5)
  })

  test('that say close are used once', async () => {
    const server = await rawServer(({ socket, connection }) => socket.write(answerOf(`on ${connection}`, 'connection: close')))
    const pool = poolOf(server.origin)
    expect([await fetchText(pool), await fetchText(pool)]).toEqual(['on 0', 'on 1'])
    await server.closed(0)
  })

  test('that will be closed within two seconds are used once', async () => {
    const { origin } = await rawServer(({ socket, connection }) => socket.write(answerOf(`on ${connection}`, 'keep-alive: timeout=2')))
    const pool = poolOf(origin)
    expect([await fetchText(pool), await fetchText(pool)]).toEqual(['on 0', 'on 1'])
  })

  test('have a clock as long as there are any', async () => {
    vi.useFakeTimers({ toFake: ['setInterval', 'clearInterval'] })
    try {
      const server = await rawServer(({ socket }) => socket.end(answerOf('last', 'connection: close')))
      const { hearing } = send(poolOf(server.origin))
      await server.closed(0)
      expect([hearing.outcome, vi.getTimerCount()]).toEqual(['last', 0])
    } finally {
      vi.useRealTimers()
    }
  })

  test('that the upstream closed while they were free are not used', async () => {
    const server = await rawServer(echo)
    const pool = poolOf(server.origin)
    await fetchText(pool)
    server.sockets[0]?.end()
    await server.closed(0)
    expect(await fetchText(pool, '/next')).toBe('/next  on 1')
  })
})

describe('the answer to one request is never that to another', () => {
  const stray = answerOf('stray')

  test.each([
    ['a second answer', (first: string) => answerOf(first) + stray],
    ['bytes that are no answer', (first: string) => `${answerOf(first)}\r\n`],
    ['the beginning of an answer', (first: string) => `${answerOf(first)}HTTP/1.1 200 OK\r\n`],
    [
      'an answer behind chunks',
      (first: string) =>
        `HTTP/1.1 200 OK\r\ntransfer-encoding: chunked\r\n\r\n${first.length.toString(16)}\r\n${first}\r\n0\r\n\r\n${stray}`,
    ],
    ['an answer behind one that has no body', () => `HTTP/1.1 204 No Content\r\n\r\n${stray}`],
    ['a body behind an answer that has none', () => `HTTP/1.1 204 No Content\r\ncontent-length: ${stray.length}\r\n\r\n${stray}`],
    [
      'an answer behind as much as is read at once',
      () => `HTTP/1.1 200 OK\r\ncontent-length: ${65_536 - 42}\r\n\r\n${' '.repeat(65_536 - 42)}${stray}`,
    ],
  ])('%s: the first completes, and its connection is not used again', async (_what, first) => {
    const server = await rawServer((request) => {
      if (request.connection === 0) request.socket.write(first(request.path))
      else echo(request)
    })
    const pool = poolOf(server.origin, { connections: 1 })
    const waiting = ['/a', '/b', '/c'].map((path) => fetchText(pool, path))
    const [one, ...others] = await Promise.all(waiting)
    expect([one?.trim() === '' || one === '/a', others]).toEqual([true, ['/b  on 1', '/c  on 1']])
    await server.closed(0)
  })

  test('bytes on a free connection close it', async () => {
    const server = await rawServer(echo)
    const pool = poolOf(server.origin)
    await fetchText(pool)
    server.sockets[0]?.write(stray)
    await server.closed(0)
    expect(await fetchText(pool, '/next')).toBe('/next  on 1')
  })

  test('a connection whose request was not sent to its end is not used again', async () => {
    const { origin } = await rawConnections((socket, connection) => socket.write(answerOf(`on ${connection}`)))
    const pool = poolOf(origin, { connections: 1 })
    const { hearing } = send(pool, { body: Buffer.alloc(20_000_000) })
    await hearing.over
    expect([hearing.outcome, await fetchText(pool)]).toEqual(['on 0', 'on 1'])
  })

  test('nothing is sent twice', async () => {
    let requests = 0
    const { origin } = await rawServer(({ socket }) => {
      requests += 1
      socket.destroy()
    })
    const pool = poolOf(origin)
    const { hearing } = send(pool)
    await hearing.over
    expect([hearing.calls, requests]).toEqual([['error'], 1])
  })
})

describe('giving up', () => {
  test('a request that waits takes it from the queue', async () => {
    const paths: string[] = []
    const { origin, sockets } = await rawServer((request) => {
      paths.push(request.path)
      echo(request)
    })
    const pool = poolOf(origin, { connections: 1 })
    const first = fetchText(pool, '/a')
    const { exchange, hearing } = send(pool, { path: '/b' })
    const last = fetchText(pool, '/c')
    exchange.abort()
    exchange.abort()
    expect([await first, await last, paths, hearing.calls, sockets.length]).toEqual(['/a  on 0', '/c  on 0', ['/a', '/c'], [], 1])
  })

  test('a request whose connection is being made gives up the connection, too', async () => {
    const paths: string[] = []
    const { origin } = await rawServer(({ path, socket }) => {
      paths.push(path)
      socket.write(answerOf(path))
    })
    const pool = poolOf(origin, { connections: 1 })
    const { exchange, hearing } = send(pool, { path: '/a' })
    exchange.abort()
    expect([await fetchText(pool, '/b'), paths, hearing.calls]).toEqual(['/b', ['/b'], []])
  })

  test.each([
    ['before the head', '', []],
    ['in the head', 'HTTP/1.1 200 OK\r\ncontent-', []],
    ['in the body', 'HTTP/1.1 200 OK\r\ncontent-length: 10\r\n\r\nhello', ['head', 'data']],
    ['in a chunk', 'HTTP/1.1 200 OK\r\ntransfer-encoding: chunked\r\n\r\na\r\nhello', ['head', 'data']],
  ])('%s closes the connection, and nothing more is heard', async (_when, beginning, calls) => {
    const isHere = Promise.withResolvers<void>()
    const server = await rawServer((request) => {
      if (request.path === '/next') return echo(request)
      request.socket.write(beginning, () => isHere.resolve())
    })
    const pool = poolOf(server.origin, { connections: 1 })
    const { exchange, hearing } = send(pool)
    await isHere.promise
    if (calls.length > 0) await hearing.received
    const next = fetchText(pool, '/next')
    exchange.abort()
    await server.closed(0)
    for (const act of ['pause', 'resume', 'abort'] as const) exchange[act]()
    expect([await next, hearing.calls]).toEqual(['/next  on 1', calls])
  })

  test.each(['onHead', 'onData'] as const)('in %s: nothing more is heard of what was read already', async (last) => {
    const server = await rawServer(({ socket, path }) => socket.write(answerOf(path)))
    const pool = poolOf(server.origin, { connections: 1 })
    const hearing = new Hearing()
    const hear = hearing[last].bind(hearing) as (...heard: unknown[]) => void
    const { exchange } = send(pool, {}, Object.assign(hearing, { [last]: (...heard: unknown[]) => (hear(...heard), exchange.abort()) }))
    await server.closed(0)
    expect([await fetchText(pool, '/next'), hearing.calls]).toEqual(['/next', last === 'onHead' ? ['head'] : ['head', 'data']])
  })

  test('the whole pool tells whoever waits or runs, and takes no more', async () => {
    const server = await rawServer(({ socket, path }) =>
      socket.write(path === '/free' ? answerOf('') : 'HTTP/1.1 200 OK\r\ncontent-length: 10\r\n\r\nhello'),
    )
    const pool = poolOf(server.origin, { connections: 2 })
    await fetchText(pool, '/free')
    const sent = [send(pool), send(pool), send(pool)]
    await sent[0]?.hearing.received
    pool.close()
    expect(sent.map(({ hearing }) => hearing.calls.at(-1))).toEqual(['error', 'error', 'error'])
    sent.push(send(pool))
    expect(sent.map(({ hearing }) => hearing.outcome)).toEqual(Array(4).fill('HTTP_POOL_CLOSED'))
    await server.closed(0)
  })
})
