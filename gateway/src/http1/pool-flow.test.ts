import type { Socket } from 'node:net'
import { afterEach, describe, expect, test } from 'vitest'
import type { Exchange } from './exchange.ts'
import { answerOf, closeAll, fetchText, Hearing, patternOf, poolOf, rawServer, send, type ReceivedRequest } from './raw-server.fixture.ts'

afterEach(closeAll)

const readAtOnce = 64 * 1024
/** More than the system keeps for a connection. */
const large = patternOf(32 * 1024 * 1024)

function answerLarge(socket: Socket): void {
  socket.write(`HTTP/1.1 200 OK\r\ncontent-length: ${large.length}\r\n\r\n`)
  socket.write(large)
}

function answer({ socket, path }: ReceivedRequest): void {
  if (path === '/large') answerLarge(socket)
  else socket.write(answerOf(path))
}

/** There and back often enough for anything that is on its way to arrive. */
async function passTime(origin: string): Promise<void> {
  const pool = poolOf(origin)
  for (let times = 0; times < 20; times += 1) await fetchText(pool)
}

describe('a paused exchange', () => {
  test('reads nothing more, so that the upstream cannot send; resumed it brings everything in order', async () => {
    const { origin, sockets } = await rawServer(answer)
    const hearing = new Hearing()
    const { exchange } = send(poolOf(origin), { path: '/large' }, Object.assign(hearing, { onHead: () => exchange.pause() }))
    await hearing.received
    await passTime(origin)
    expect(hearing.body.length).toBeLessThanOrEqual(readAtOnce)
    expect(sockets[0]?.writableLength).toBeGreaterThan(0)
    exchange.resume()
    await hearing.over
    expect(hearing.body.equals(large)).toBe(true)
  })

  test('may be paused at every chunk', async () => {
    const { origin } = await rawServer(answer)
    let paused = 0
    class Slow extends Hearing {
      override onData(chunk: Buffer): void {
        expect(paused).toBe(0)
        super.onData(chunk)
        exchange.pause()
        paused += 1
        setImmediate(() => {
          paused -= 1
          exchange.resume()
        })
      }
    }
    const { exchange, hearing }: { exchange: Exchange; hearing: Hearing } = send(poolOf(origin), { path: '/large' }, new Slow())
    await hearing.over
    expect(hearing.body.equals(large)).toBe(true)
  })

  test('that is resumed at once never stops', async () => {
    const { origin } = await rawServer(answer)
    class Hesitant extends Hearing {
      override onData(chunk: Buffer): void {
        exchange.pause()
        super.onData(chunk)
        exchange.resume()
      }
    }
    const { exchange, hearing }: { exchange: Exchange; hearing: Hearing } = send(poolOf(origin), { path: '/large' }, new Hesitant())
    await hearing.over
    expect(hearing.body.equals(large)).toBe(true)
  })

  test('hears nothing when it was paused before it was sent, until it is resumed', async () => {
    const { origin } = await rawServer(answer)
    const { exchange, hearing } = send(poolOf(origin), { path: '/early' })
    exchange.pause()
    await passTime(origin)
    expect(hearing.calls).toEqual([])
    exchange.resume()
    await hearing.over
    expect(hearing.outcome).toBe('/early')
  })

  test('hears nothing when it was paused in the queue, until it is resumed', async () => {
    const { origin, sockets } = await rawServer(answer)
    const pool = poolOf(origin, { connections: 1 })
    const first = fetchText(pool, '/first')
    const { exchange, hearing } = send(pool, { path: '/second' })
    exchange.pause()
    expect(await first).toBe('/first')
    await passTime(origin)
    expect([hearing.calls, sockets.length]).toEqual([[], 2])
    exchange.resume()
    await hearing.over
    expect(hearing.outcome).toBe('/second')
  })

  test('can be given up', async () => {
    const server = await rawServer(answer)
    const pool = poolOf(server.origin, { connections: 1 })
    const { exchange, hearing } = send(pool, { path: '/large' })
    await hearing.received
    exchange.pause()
    const heard = hearing.body.length
    exchange.abort()
    exchange.resume()
    await server.closed(0)
    expect([await fetchText(pool, '/next'), hearing.body.length - heard, hearing.calls]).toEqual(['/next', 0, ['head', 'data']])
  })

  test('that was complete already leaves its connection to the next', async () => {
    const { origin, sockets } = await rawServer(answer)
    const pool = poolOf(origin, { connections: 1 })
    const hearing = new Hearing()
    const { exchange } = send(pool, { path: '/first' }, Object.assign(hearing, { onHead: () => exchange.pause() }))
    await hearing.over
    expect([hearing.outcome, await fetchText(pool, '/next'), sockets.length]).toEqual(['/first', '/next', 1])
  })
})

describe('many large answers at one time', () => {
  test('do not get into each other, though all are read into the same memory', async () => {
    const length = 256 * 1024
    const bodyOf = (path: string): Buffer => Buffer.alloc(length, `${path};`)
    const { origin } = await rawServer(({ socket, path }) => {
      socket.write(`HTTP/1.1 200 OK\r\ntransfer-encoding: chunked\r\n\r\n`)
      const body = bodyOf(path)
      for (let at = 0; at < length; at += 10_000) {
        const part = body.subarray(at, at + 10_000)
        socket.write(`${part.length.toString(16)}\r\n`)
        socket.write(part)
        socket.write('\r\n')
      }
      socket.write('0\r\n\r\n')
    })
    const pool = poolOf(origin, { connections: 8 })
    const paths = Array.from({ length: 24 }, (_, index) => `/${index}`)
    const answers = await Promise.all(paths.map((path) => fetchText(pool, path)))
    expect(answers.map((text, index) => text === bodyOf(paths[index] ?? '').toString())).toEqual(paths.map(() => true))
  })
})
