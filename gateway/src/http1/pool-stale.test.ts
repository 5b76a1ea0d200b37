/** Connections that the other side has given up: what is sent once more, and what never is. */
import { createServer, type Socket } from 'node:net'
import type { AddressInfo } from 'node:net'
import { expect, test } from 'vitest'
import { HttpPool } from './pool.ts'

const answer = 'HTTP/1.1 200 OK\r\ncontent-length: 2\r\n\r\nok'

/** `react` is told how many requests came, on this connection and in all. */
async function serverThat(react: (socket: Socket, onConnection: number, inAll: number) => void) {
  let inAll = 0
  const server = createServer((socket) => {
    let count = 0
    socket.on('error', () => {})
    socket.on('data', () => react(socket, (count += 1), (inAll += 1)))
  })
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve))
  const origin = `http://127.0.0.1:${(server.address() as AddressInfo).port}`
  const pool = new HttpPool(origin, { connections: 4, connectTimeoutMs: 10_000, bodyTimeoutMs: 0 })
  return {
    requests: () => inAll,
    ask: (sendsAgain: boolean) =>
      new Promise<string>((resolve) => {
        let text = ''
        const handler = {
          onHead: () => {},
          onData: (chunk: Buffer) => void (text += chunk.toString()),
          onEnd: () => resolve(text),
          onError: (error: Error & { code?: string }) => resolve(error.code ?? 'no code'),
        }
        pool.dispatch({ method: 'POST', path: '/', headers: [], body: '{}', sendsAgain }, handler)
      }),
    async [Symbol.asyncDispose]() {
      pool.close()
      await new Promise((resolve) => server.close(resolve))
    },
  }
}

const endings: [string, (socket: Socket) => unknown][] = [
  ['closed', (socket) => socket.end()],
  ['reset', (socket) => socket.resetAndDestroy()],
]

test.each(endings)('a kept connection that is %s before an answer: once more, on a fresh one', async (_how, finish) => {
  await using server = await serverThat((socket, nth) => (nth === 1 ? socket.write(answer) : finish(socket)))
  expect([await server.ask(true), await server.ask(true), server.requests()]).toEqual(['ok', 'ok', 3])
})

test.each(endings)('a fresh connection that is %s: the request may have been carried out, so never again', async (_how, finish) => {
  await using server = await serverThat((socket) => finish(socket))
  expect(await server.ask(true)).toMatch(/HTTP_CLOSED|ECONNRESET/)
  expect(server.requests()).toBe(1)
})

test('once is all: when the fresh one fails too, that is told', async () => {
  await using server = await serverThat((socket, nth, inAll) => (inAll === 1 ? socket.write(answer) : socket.end()))
  expect([await server.ask(true), await server.ask(true), server.requests()]).toEqual(['ok', 'HTTP_CLOSED', 3])
})

test('a byte of an answer is an answer that was begun', async () => {
  await using server = await serverThat((socket, nth) => (nth === 1 ? socket.write(answer) : socket.end('H')))
  expect([await server.ask(true), await server.ask(true), server.requests()]).toEqual(['ok', 'HTTP_CLOSED', 2])
})

test('whoever does not ask for it is not repeated', async () => {
  await using server = await serverThat((socket, nth) => (nth === 1 ? socket.write(answer) : socket.end()))
  expect([await server.ask(false), await server.ask(false), server.requests()]).toEqual(['ok', 'HTTP_CLOSED', 2])
})
