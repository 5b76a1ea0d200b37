import { once } from 'node:events'
import type { Socket } from 'node:net'
import { afterEach, describe, expect, test, vi } from 'vitest'
import { Connection, type ConnectionOwner } from './connection.ts'
import { answerOf, closeAll, Hearing, rawServer } from './raw-server.fixture.ts'
import { RunningExchange } from './running-exchange.ts'

afterEach(async () => {
  vi.useRealTimers()
  await closeAll()
})

const request = 'POST / HTTP/1.1\r\nhost: a\r\ncontent-length: 0\r\n\r\n'

interface Opened {
  readonly connection: Connection
  readonly exchange: RunningExchange
  readonly hearing: Hearing
  /** Its end of the connection, when the request has arrived there. */
  readonly asked: Promise<Socket>
  /** What the owner was told. */
  readonly told: string[]
}

function exchangeWith(hearing: Hearing): RunningExchange {
  return new RunningExchange(request, null, false, hearing, () => {})
}

/** A connection that is being made, for an owner whose clock the test is. */
async function opened(bodyTimeoutMs: number): Promise<Opened> {
  const asked = Promise.withResolvers<Socket>()
  const { origin } = await rawServer(({ socket }) => asked.resolve(socket))
  const told: string[] = []
  const owner: ConnectionOwner = {
    origin: { secure: false, host: '127.0.0.1', port: Number(new URL(origin).port) },
    connectTimeoutMs: 20_000,
    bodyTimeoutMs,
    tlsSession: undefined,
    onFree: () => told.push('free'),
    onGone: () => told.push('gone'),
  }
  const hearing = new Hearing()
  const exchange = exchangeWith(hearing)
  const connection = new Connection(owner, exchange)
  exchange.connection = connection
  return { connection, exchange, hearing, told, asked: asked.promise }
}

/** A connection that has sent its request. */
async function running(bodyTimeoutMs: number): Promise<Opened & { readonly upstream: Socket }> {
  const connecting = await opened(bodyTimeoutMs)
  return { ...connecting, upstream: await connecting.asked }
}

function tick(connection: Connection, times: number, ms: number): void {
  for (let count = 0; count < times; count += 1) connection.tick(ms)
}

describe('a body that stops', () => {
  const beginning = 'HTTP/1.1 200 OK\r\ncontent-length: 10\r\n\r\nhello'

  test('is an error after its time and one tick, which may have come right after the last byte', async () => {
    const { connection, hearing, upstream, told } = await running(100)
    upstream.write(beginning)
    await hearing.received
    tick(connection, 10, 10)
    expect(hearing.calls).toEqual(['head', 'data'])
    tick(connection, 5, 10)
    expect([hearing.calls, hearing.error, told]).toEqual([
      ['head', 'data', 'error'],
      expect.objectContaining({ code: 'HTTP_BODY_TIMEOUT' }),
      ['gone'],
    ])
  })

  test('has its time again with each byte', async () => {
    const { connection, hearing, upstream } = await running(100)
    upstream.write(beginning)
    await hearing.received
    const more = Promise.withResolvers<void>()
    const onData = hearing.onData.bind(hearing)
    hearing.onData = (chunk) => (onData(chunk), more.resolve())
    tick(connection, 10, 10)
    upstream.write('w')
    await more.promise
    tick(connection, 10, 10)
    expect(hearing.calls).toEqual(['head', 'data'])
    tick(connection, 1, 10)
    expect(hearing.calls).toEqual(['head', 'data', 'error'])
  })

  test('has any time while it is paused, and its own again afterwards', async () => {
    const { connection, exchange, hearing, upstream } = await running(100)
    upstream.write(beginning)
    await hearing.received
    tick(connection, 5, 10)
    exchange.pause()
    tick(connection, 1000, 10)
    exchange.resume()
    tick(connection, 10, 10)
    expect(hearing.calls).toEqual(['head', 'data'])
    tick(connection, 1, 10)
    expect(hearing.calls).toEqual(['head', 'data', 'error'])
  })

  test('has any time when none is set', async () => {
    const { connection, hearing, upstream } = await running(0)
    upstream.write(beginning)
    await hearing.received
    tick(connection, 1000, 1000)
    upstream.write('world')
    await hearing.over
    expect(hearing.outcome).toBe('helloworld')
  })

  test('is not that of an answer whose head is still to come', async () => {
    const { connection, hearing, upstream } = await running(100)
    tick(connection, 1000, 10)
    upstream.write(`HTTP/1.1 100 Continue\r\n\r\n${answerOf('late')}`)
    await hearing.over
    expect(hearing.outcome).toBe('late')
  })

  test('is not that of the answer after it', async () => {
    const { connection, hearing, upstream } = await running(100)
    upstream.write(answerOf('first'))
    await hearing.over
    const second = new Hearing()
    connection.run(exchangeWith(second))
    tick(connection, 1000, 10)
    upstream.write(answerOf('second'))
    await second.over
    expect(second.outcome).toBe('second')
  })
})

describe('the time to connect', () => {
  test('is over when there is a connection', async () => {
    vi.useFakeTimers({ toFake: ['setTimeout', 'clearTimeout'] })
    const { asked } = await opened(0)
    expect(vi.getTimerCount()).toBe(1)
    await asked
    expect(vi.getTimerCount()).toBe(0)
  })

  test('is over when nobody waits any more, and no request is sent', async () => {
    vi.useFakeTimers({ toFake: ['setTimeout', 'clearTimeout'] })
    const { exchange, hearing, told } = await opened(0)
    exchange.abort()
    expect([vi.getTimerCount(), told, hearing.calls]).toEqual([0, ['gone'], []])
  })
})

describe('an exchange that is over', () => {
  test('has no hand on its connection any more, which is that of the next', async () => {
    const { connection, exchange, hearing, upstream, told } = await running(0)
    upstream.write(answerOf('first'))
    await hearing.over
    const second = new Hearing()
    const next = exchangeWith(second)
    connection.run(next)
    next.connection = connection
    const hands = (['pause', 'resume', 'close'] as const).map((hand) => vi.spyOn(connection, hand))
    for (const act of ['pause', 'abort', 'resume'] as const) exchange[act]()
    expect(hands.map((hand) => hand.mock.calls.length)).toEqual([0, 0, 0])
    upstream.write(answerOf('second'))
    await second.over
    expect([second.outcome, told]).toEqual(['second', ['free', 'free']])
  })

  test('because it was given up while its answer was read leaves no connection', async () => {
    const { exchange, hearing, upstream, told } = await running(0)
    hearing.onHead = () => exchange.abort()
    upstream.write(answerOf('whole'))
    await once(upstream, 'close')
    expect([told, hearing.calls]).toEqual([['gone'], []])
  })
})

describe('a free connection', () => {
  test.each([
    ['half a minute', [], 30],
    ['until two seconds before the upstream closes it', ['keep-alive: timeout=12'], 10],
    ['half a minute, though the upstream would keep it longer', ['keep-alive: timeout=600'], 30],
  ])('is kept for %s', async (_long, fields, seconds) => {
    const { connection, hearing, upstream, told } = await running(0)
    upstream.write(answerOf('x', ...fields))
    await hearing.over
    tick(connection, seconds - 1, 1000)
    expect(told).toEqual(['free'])
    tick(connection, 5, 1000)
    expect([told, hearing.calls]).toEqual([
      ['free', 'gone'],
      ['head', 'data', 'end'],
    ])
  })
})

test('a connection that is closed more than once is gone once', async () => {
  const { connection, hearing, told } = await running(0)
  connection.close(new Error('closed'))
  connection.close(new Error('again'))
  connection.close()
  expect([told, hearing.calls, hearing.error?.message, connection.isUsable]).toEqual([['gone'], ['error'], 'closed', false])
})
