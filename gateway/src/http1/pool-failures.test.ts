import { afterEach, describe, expect, test } from 'vitest'
import { answerOf, closeAll, fetchText, Hearing, poolOf, rawConnections, rawServer, send } from './raw-server.fixture.ts'

afterEach(closeAll)

describe('an answer that is not HTTP/1.1', () => {
  test.each([
    ['no status line', 'hello\r\n\r\n', ['error']],
    ['a newer version', 'HTTP/2.0 200 OK\r\n\r\n', ['error']],
    ['a space before a colon', 'HTTP/1.1 200 OK\r\ncontent-length : 5\r\n\r\nhello', ['error']],
    ['two lengths', 'HTTP/1.1 200 OK\r\ncontent-length: 5\r\ncontent-length: 6\r\n\r\nhello', ['error']],
    ['a length and chunks', 'HTTP/1.1 200 OK\r\ncontent-length: 5\r\ntransfer-encoding: chunked\r\n\r\n0\r\n\r\n', ['error']],
    ['an endless head', `HTTP/1.1 200 OK\r\na: ${'b'.repeat(20_000)}`, ['error']],
    ['another protocol', 'HTTP/1.1 101 Switching Protocols\r\nupgrade: a\r\n\r\n', ['error']],
    ['a chunk without a size', 'HTTP/1.1 200 OK\r\ntransfer-encoding: chunked\r\n\r\nhello', ['head', 'error']],
  ])('%s: malformed, and its connection is closed', async (_what, answer, calls) => {
    const server = await rawServer(({ socket, connection }) => socket.write(connection === 0 ? answer : answerOf('well')))
    const pool = poolOf(server.origin, { connections: 1 })
    const { hearing } = send(pool)
    const next = fetchText(pool)
    await server.closed(0)
    expect([hearing.calls, hearing.outcome, await next]).toEqual([calls, 'HTTP_MALFORMED', 'well'])
  })

  test('its bytes are not in the error', async () => {
    const { origin } = await rawServer(({ socket }) => socket.write('HTTP/1.1 200 OK\r\nsecret secret: secret\r\n\r\n'))
    const { hearing } = send(poolOf(origin))
    await hearing.over
    expect(hearing.error?.message).not.toContain('secret')
  })
})

describe('an answer that is cut off', () => {
  const heads = [
    ['before it began', '', ['error']],
    ['in its head', 'HTTP/1.1 200 OK\r\ncontent-len', ['error']],
    ['after an interim answer', 'HTTP/1.1 100 Continue\r\n\r\n', ['error']],
    ['before its body', 'HTTP/1.1 200 OK\r\ncontent-length: 10\r\n\r\n', ['head', 'error']],
    ['in its body', 'HTTP/1.1 200 OK\r\ncontent-length: 10\r\n\r\nhello', ['head', 'data', 'error']],
    ['in a chunk', 'HTTP/1.1 200 OK\r\ntransfer-encoding: chunked\r\n\r\na\r\nhello', ['head', 'data', 'error']],
    ['between chunks', 'HTTP/1.1 200 OK\r\ntransfer-encoding: chunked\r\n\r\n5\r\nhello\r\n', ['head', 'data', 'error']],
    ['before its last line', 'HTTP/1.1 200 OK\r\ntransfer-encoding: chunked\r\n\r\n5\r\nhello\r\n0\r\n', ['head', 'data', 'error']],
  ] as const

  test.each(heads)('%s is never complete', async (_where, beginning, calls) => {
    const { origin } = await rawServer(({ socket }) => socket.end(beginning))
    const { hearing } = send(poolOf(origin))
    await hearing.over
    expect([hearing.calls, hearing.outcome]).toEqual([calls, 'HTTP_CLOSED'])
  })

  test('by a reset has the error of the system', async () => {
    const { origin, sockets } = await rawServer(({ socket }) => socket.write('HTTP/1.1 200 OK\r\n\r\nhello'))
    const { hearing } = send(poolOf(origin))
    await hearing.received
    sockets[0]?.resetAndDestroy()
    await hearing.over
    expect([hearing.calls, hearing.outcome]).toEqual([['head', 'data', 'error'], 'ECONNRESET'])
  })

  test('is complete when that is how it ends', async () => {
    const { origin, sockets } = await rawServer(({ socket, connection }) =>
      socket.end(`HTTP/1.1 200 OK\r\nconnection: keep-alive\r\n\r\nhello on ${connection}`),
    )
    const pool = poolOf(origin)
    const { hearing } = send(pool)
    await hearing.over
    expect([hearing.calls, hearing.outcome, await fetchText(pool), sockets.length]).toEqual([
      ['head', 'data', 'end'],
      'hello on 0',
      'hello on 1',
      2,
    ])
  })
})

describe('an upstream that is not there', () => {
  test('has the error of the system', async () => {
    const { origin, sockets } = await rawServer(({ socket }) => socket.destroy())
    await closeAll()
    const pool = poolOf(origin, { connections: 1 })
    expect([await fetchText(pool), await fetchText(pool), sockets.length]).toEqual(['ECONNREFUSED', 'ECONNREFUSED', 0])
  })

  test('or does not answer a handshake in time has a timeout', async () => {
    const server = await rawConnections((socket) => socket.resume())
    const pool = poolOf(server.origin.replace('http:', 'https:'), { connections: 1, connectTimeoutMs: 20 })
    const { hearing } = send(pool)
    await Promise.all([hearing.over, server.closed(0)])
    expect([hearing.calls, hearing.outcome, await fetchText(pool)]).toEqual([['error'], 'HTTP_CONNECT_TIMEOUT', 'HTTP_CONNECT_TIMEOUT'])
  })

  test('or stops in the middle has a timeout', async () => {
    const server = await rawServer(({ socket }) => socket.write('HTTP/1.1 200 OK\r\ncontent-length: 10\r\n\r\nhello'))
    const { hearing } = send(poolOf(server.origin, { bodyTimeoutMs: 500 }))
    await Promise.all([hearing.over, server.closed(0)])
    expect([hearing.calls, hearing.outcome]).toEqual([['head', 'data', 'error'], 'HTTP_BODY_TIMEOUT'])
  })

  test('keeps nobody waiting behind it', async () => {
    const { origin } = await rawServer(({ socket, path }) => (path === '/well' ? socket.write(answerOf(path)) : socket.destroy()))
    const pool = poolOf(origin, { connections: 2 })
    const paths = ['/ill', '/ill', '/well', '/ill', '/well', '/ill', '/ill', '/well']
    const answers = await Promise.all(paths.map((path) => fetchText(pool, path)))
    expect(answers.map((answer) => answer === '/well')).toEqual(paths.map((path) => path === '/well'))
  })
})

describe('a handler that throws', () => {
  const failure = new Error('the handler failed')

  class Failing extends Hearing {
    readonly #where: string

    constructor(where: string) {
      super()
      this.#where = where
    }

    override onHead(...heard: Parameters<Hearing['onHead']>): void {
      super.onHead(...heard)
      if (this.#where === 'head') throw failure
    }

    override onData(chunk: Buffer): void {
      super.onData(chunk)
      if (this.#where === 'data') throw failure
    }

    override onEnd(): void {
      super.onEnd()
      if (this.#where === 'end') throw failure
    }
  }

  test.each([
    ['head', ['head', 'error'], 'on 1'],
    ['data', ['head', 'data', 'error'], 'on 1'],
    // The answer was complete.
    ['end', ['head', 'data', 'end', 'error'], 'on 0'],
  ])('at the %s hears of it once, and the next request has a connection', async (where, calls, next) => {
    const { origin } = await rawServer(({ socket, connection }) => socket.write(answerOf(`on ${connection}`)))
    const pool = poolOf(origin, { connections: 1 })
    const { hearing } = send(pool, {}, new Failing(where))
    expect(await fetchText(pool)).toBe(next)
    expect([hearing.calls, hearing.error]).toEqual([calls, failure])
  })

  test('at the end of a body that ends with its connection hears of it once', async () => {
    const { origin } = await rawServer(({ socket, connection }) => socket.end(`HTTP/1.0 200 OK\r\n\r\non ${connection}`))
    const pool = poolOf(origin, { connections: 1 })
    const { hearing } = send(pool, {}, new Failing('end'))
    expect(await fetchText(pool)).toBe('on 1')
    expect([hearing.calls, hearing.error]).toEqual([['head', 'data', 'end', 'error'], failure])
  })
})

describe('a handler that sends the next request', () => {
  test.each(['onEnd', 'onError'] as const)('in %s has it answered', async (where) => {
    const { origin } = await rawServer(({ socket, path }) =>
      path === '/first' && where === 'onError' ? socket.destroy() : socket.write(answerOf(path)),
    )
    const pool = poolOf(origin, { connections: 1 })
    const next = Promise.withResolvers<string>()
    const first = Object.assign(new Hearing(), { [where]: () => fetchText(pool, '/next').then(next.resolve, next.reject) })
    send(pool, { path: '/first' }, first)
    expect(await next.promise).toBe('/next')
  })
})
