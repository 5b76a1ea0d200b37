import { createServer, type IncomingMessage } from 'node:http'
import { connect, type AddressInfo } from 'node:net'
import { afterEach, describe, expect, test } from 'vitest'
import { readBody } from './reading-body.ts'

const limits = { max_body_bytes: 20, body_timeout_ms: 1000 }
const open: { close(): unknown }[] = []

afterEach(() => {
  for (const one of open.splice(0)) one.close()
})

/** Sends raw bytes and tells what reading the body came to. */
async function read(head: string, body: string, hangUp = false): Promise<string> {
  const done = Promise.withResolvers<string>()
  const server = createServer((request: IncomingMessage) => {
    // Refusals that need no byte of the body are thrown, the others reject.
    void Promise.resolve()
      .then(() => readBody(request, limits))
      .then((bytes) => done.resolve(bytes.toString()))
      .catch((error: { code: string }) => done.resolve(error.code))
  })
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve))
  const socket = connect((server.address() as AddressInfo).port, '127.0.0.1')
  socket.on('error', () => {})
  socket.write(`POST / HTTP/1.1\r\nhost: x\r\n${head}\r\n\r\n${body}`, () => hangUp && socket.destroy())
  open.push({ close: () => server.closeAllConnections() }, server, { close: () => socket.destroy() })
  return done.promise
}

describe('reading a body', () => {
  test('reads what was announced', async () => {
    expect(await read('content-length: 5', 'hello')).toBe('hello')
  })

  test('refuses an announced size over the limit before a byte of it arrives', async () => {
    expect(await read('content-length: 21', '')).toBe('request.too_large')
  })

  test('refuses a body that grows over the limit without announcing it', async () => {
    expect(await read('transfer-encoding: chunked', '19\r\n1234567890123456789012345\r\n')).toBe('request.too_large')
  })

  test('refuses such a body that has come to its end at once', async () => {
    expect(await read('transfer-encoding: chunked', '19\r\n1234567890123456789012345\r\n0\r\n\r\n')).toBe('request.too_large')
  })

  test('reads an empty body, and one in chunks that came at once', async () => {
    expect(await read('content-length: 0', '')).toBe('')
    expect(await read('transfer-encoding: chunked', '2\r\nhe\r\n3\r\nllo\r\n0\r\n\r\n')).toBe('hello')
  })

  test('leaves the connection ready for the next request', async () => {
    const bodies: string[] = []
    const done = Promise.withResolvers<void>()
    const server = createServer((request, response) => {
      Promise.resolve()
        .then(() => readBody(request, limits))
        .then((bytes) => {
          response.end(bodies.push(bytes.toString()) === 3 ? 'last' : 'more')
          if (bodies.length === 3) done.resolve()
        })
        .catch(done.reject)
    })
    await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve))
    const socket = connect((server.address() as AddressInfo).port, '127.0.0.1')
    open.push({ close: () => server.closeAllConnections() }, server, { close: () => socket.destroy() })
    socket.write(
      ['one', 'two', 'three'].map((body) => `POST / HTTP/1.1\r\nhost: x\r\ncontent-length: ${body.length}\r\n\r\n${body}`).join(''),
    )
    await done.promise
    expect(bodies).toEqual(['one', 'two', 'three'])
  })

  test('refuses a compressed body, which could be any size', async () => {
    expect(await read('content-length: 5\r\ncontent-encoding: gzip', 'hello')).toBe('request.content_encoding')
  })

  test('refuses an announced size over the limit also when all of it is there', async () => {
    expect(await read('content-length: 25', '1234567890123456789012345')).toBe('request.too_large')
  })

  test('refuses a body that does not arrive in time', async () => {
    expect(await read('content-length: 5', 'he')).toBe('request.timeout')
  })

  test('a client that goes away inside its body is a cancelled request', async () => {
    expect(await read('content-length: 15', 'he', true)).toBe('request.cancelled')
  })
})
