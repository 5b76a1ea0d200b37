/** A server that stops loses no request of a client that does as it is told. */
import { createServer, type Server } from 'node:http'
import { connect, type AddressInfo, type Socket } from 'node:net'
import { once } from 'node:events'
import { expect, test } from 'vitest'
import { Draining } from './draining.ts'

interface Open {
  readonly draining: Draining
  readonly server: Server
  client(): Promise<Socket>
}

async function open(): Promise<Open> {
  const draining = new Draining()
  const server = createServer((request, response) => {
    draining.answering(request, response)
    if (draining.refuses) response.writeHead(503)
    response.end('answer')
  })
  server.on('connection', (socket) => draining.connected(socket))
  server.listen(0, '127.0.0.1')
  await once(server, 'listening')
  return {
    draining,
    server,
    async client() {
      const socket = connect((server.address() as AddressInfo).port, '127.0.0.1')
      await once(socket, 'connect')
      return socket
    },
  }
}

const request = 'GET / HTTP/1.1\r\nhost: x\r\n\r\n'

async function ask(socket: Socket): Promise<string> {
  socket.write(request)
  let text = ''
  while (!text.includes('answer')) text += String((await once(socket, 'data'))[0])
  return text
}

test('a request that is on its way when the drain begins is answered, and told that the connection closes', async () => {
  const { draining, server, client } = await open()
  const socket = await client()
  expect(await ask(socket)).toMatch(/200 OK[^]*keep-alive/i)
  const refusing = draining.begin()
  expect([draining.hasBegun, draining.refuses]).toEqual([true, false])
  expect(await ask(socket)).toMatch(/200 OK[^]*connection: close/i)
  await once(socket.resume(), 'end')
  await refusing
  expect(draining.refuses).toBe(true)
  server.close()
})

test('a client that sends nothing more is let go, and a server without clients at work refuses at once', async () => {
  const { draining, server, client } = await open()
  const socket = await client()
  await ask(socket)
  await Promise.all([draining.begin(), once(socket.resume(), 'end')])
  server.close()
  const idle = await open()
  const refusing = idle.draining.begin()
  expect(idle.draining.refuses).toBe(true)
  await refusing
  idle.server.close()
})
