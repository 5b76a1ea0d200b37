import { createServer, type Server, type ServerResponse } from 'node:http'
import { connect, type AddressInfo, type Socket } from 'node:net'
import { afterEach, beforeEach, describe, expect, test, vi } from 'vitest'
import fc from 'fast-check'
import { Reading } from './any-answer.fixture.ts'
import { writeChunk } from './chunk-writer.ts'
import { listen } from './raw-server.fixture.ts'

type Answering = (response: ServerResponse) => void

let server: Server
let answer: Answering
const clients: Socket[] = []

beforeEach(async () => {
  server = createServer((_request, response) => answer(response))
  await listen(server)
})

afterEach(async () => {
  for (const client of clients.splice(0)) client.destroy()
  await new Promise((resolve) => server.close(resolve))
})

function client(request: string): Socket {
  const socket = connect((server.address() as AddressInfo).port, '127.0.0.1')
  clients.push(socket)
  socket.write(request)
  return socket
}

const get = 'GET / HTTP/1.1\r\nhost: a\r\nconnection: close\r\n\r\n'

/** All bytes of the connection, as latin1 text. */
async function received(answering: Answering, request = get): Promise<string> {
  answer = answering
  return Buffer.concat(await client(request).toArray()).toString('latin1')
}

/** What comes behind the head. */
async function framesOf(answering: Answering, request = get): Promise<string> {
  const text = await received(answering, request)
  return text.slice(text.indexOf('\r\n\r\n') + 4)
}

const end = '0\r\n\r\n'

describe('a chunk (RFC 9112, 7.1)', () => {
  test.each([
    ['text', 'hello', '5\r\nhello\r\n'],
    ['text that is longer as bytes', '\u00e9\u20ac\u{1f600}', '9\r\n\u00c3\u00a9\u00e2\u0082\u00ac\u00f0\u009f\u0098\u0080\r\n'],
    ['text with half a character', 'a\ud800', '4\r\na\u00ef\u00bf\u00bd\r\n'],
    ['text with line ends', '\r\n0\r\n\r\n', '7\r\n\r\n0\r\n\r\n\r\n'],
    ['bytes', new Uint8Array([0, 13, 10, 255]), '4\r\n\0\r\n\u00ff\r\n'],
    ['a part of other bytes', Buffer.from('0123456789').subarray(3, 5), '2\r\n34\r\n'],
    ['sixteen bytes', 'x'.repeat(16), `10\r\n${'x'.repeat(16)}\r\n`],
    ['as much as is copied', 'x'.repeat(16_384), `4000\r\n${'x'.repeat(16_384)}\r\n`],
    ['more than is copied', 'x'.repeat(16_385), `4001\r\n${'x'.repeat(16_385)}\r\n`],
  ])('holds %s', async (_what, bytes, frame) => {
    const frames = await framesOf((response) => {
      response.writeHead(200)
      writeChunk(response, bytes)
      response.end()
    })
    expect(frames).toBe(frame + end)
  })

  test('goes to the socket in one piece', async () => {
    let writes = 0
    await received((response) => {
      response.writeHead(200).flushHeaders()
      if (response.socket === null) throw new Error('an answer without a socket')
      const spy = vi.spyOn(response.socket, 'write')
      writeChunk(response, 'hello')
      writes = spy.mock.calls.length
      response.end()
    })
    expect(writes).toBe(1)
  })

  test('that would be empty is none, because that is how the body ends', async () => {
    const frames = await framesOf((response) => {
      response.writeHead(200)
      for (const bytes of ['', new Uint8Array(), 'a', '']) writeChunk(response, bytes)
      response.end('')
    })
    expect(frames).toBe(`1\r\na\r\n${end}`)
  })

  test('follows the head, which it writes when nobody did', async () => {
    const text = await received((response) => {
      writeChunk(response, 'a')
      writeChunk(response, 'b')
      response.end()
    })
    // Newer Nodes write as one chunk what was written before the head went out.
    expect(text).toMatch(/^HTTP\/1\.1 200 OK\r\n(?:.+\r\n)*Transfer-Encoding: chunked\r\n\r\n(?:1\r\na\r\n1\r\nb|2\r\nab)\r\n0\r\n\r\n$/)
  })
})

describe('an answer that is written in several ways', () => {
  const bytes = fc.oneof(
    fc.string({ unit: 'binary', maxLength: 50 }),
    fc.uint8Array({ maxLength: 50 }),
    fc.constantFrom('x'.repeat(16_384), 'y'.repeat(20_000), '\u20ac'.repeat(6000)),
  )
  const step = fc.tuple(fc.constantFrom('chunk', 'chunk', 'write', 'tick', 'cork', 'uncork'), bytes)

  test('has the same bytes as if it was written in one', async () => {
    await fc.assert(
      fc.asyncProperty(fc.array(step, { maxLength: 12 }), fc.option(bytes), async (steps, last) => {
        const text = await received(async (response) => {
          response.writeHead(200)
          for (const [kind, data] of steps) {
            if (kind === 'chunk') writeChunk(response, data)
            else if (kind === 'write') response.write(data)
            else if (kind === 'tick') await new Promise(setImmediate)
            else if (kind === 'cork') response.cork()
            else if (response.writableCorked > 0) response.uncork()
          }
          while (response.writableCorked > 0) response.uncork()
          if (last === null) response.end()
          else response.end(last)
        })
        const written = [...steps.filter(([kind]) => kind === 'chunk' || kind === 'write').map(([, data]) => data), last ?? '']
        const reading = new Reading().push(text)
        expect(reading.completions).toEqual([true])
        expect(reading.body.equals(Buffer.concat(written.map((data) => Buffer.from(data as string))))).toBe(true)
      }),
      { numRuns: 80 },
    )
  })

  test('keeps its order while it is corked', async () => {
    const frames = await framesOf((response) => {
      response.writeHead(200).flushHeaders()
      response.cork()
      response.write('a')
      writeChunk(response, 'b')
      response.uncork()
      response.end()
    })
    expect(frames).toBe(`2\r\nab\r\n${end}`)
  })

  test('waits for the answer before it on its connection', async () => {
    const responses: ServerResponse[] = []
    const text = await received((response) => {
      if (responses.push(response) < 2) return
      for (const [at, one] of [...responses.entries()].reverse()) {
        one.writeHead(200)
        writeChunk(one, `answer ${at}`)
        one.end()
      }
    }, `GET / HTTP/1.1\r\nhost: a\r\n\r\n${get}`)
    expect(text.match(/8\r\nanswer \d\r\n0\r\n\r\n/g)).toEqual([`8\r\nanswer 0\r\n${end}`, `8\r\nanswer 1\r\n${end}`])
  })
})

describe('an answer without chunks gets no frames', () => {
  test('for a client of HTTP/1.0', async () => {
    const text = await received((response) => {
      response.writeHead(200)
      writeChunk(response, 'hello')
      response.end(' world')
    }, 'GET / HTTP/1.0\r\n\r\n')
    expect(text).toMatch(/^HTTP\/1\.1 200 OK\r\n(?:(?!transfer-encoding).+\r\n)*\r\nhello world$/i)
  })

  test('when it has a length', async () => {
    const frames = await framesOf((response) => {
      response.writeHead(200, { 'content-length': 5 })
      writeChunk(response, 'hel')
      writeChunk(response, 'lo')
      response.end()
    })
    expect(frames).toBe('hello')
  })

  test.each([
    ['to HEAD', 200, get.replace('GET', 'HEAD')],
    ['with 204', 204, get],
  ])('nor bytes, %s', async (_how, status, request) => {
    const frames = await framesOf((response) => {
      response.writeHead(status)
      writeChunk(response, 'hello')
      response.end()
    }, request)
    expect(frames).toBe('')
  })
})

describe('an answer nobody takes', () => {
  test('says so, and says when it is taken', async () => {
    const reader = client(get)
    let written = 0
    const all = await new Promise<Buffer[]>((resolve) => {
      answer = (response) => {
        response.writeHead(200)
        do written += 1
        while (writeChunk(response, 'x'.repeat(8000)))
        expect([response.writableNeedDrain, response.socket?.writableCorked]).toEqual([true, 0])
        response.once('drain', () => response.end('the end'))
        resolve(reader.toArray())
      }
    })
    const reading = new Reading().push(...all)
    expect(reading.body.toString()).toBe(`${'x'.repeat(8000 * written)}the end`)
  })

  test('takes nothing more when it is destroyed, and does not throw', async () => {
    let outcome: unknown[] = []
    const text = await received((response) => {
      response.writeHead(200).flushHeaders()
      response.destroy()
      outcome = [writeChunk(response, 'hello'), writeChunk(response, 'x'.repeat(20_000)), response.destroyed, response.chunkedEncoding]
    })
    expect(outcome).toEqual([false, false, true, true])
    expect(text).not.toContain('hello')
  })

  test('has the same error as any other when it has ended', async () => {
    const errors: string[] = []
    const frames = await framesOf((response) => {
      response.on('error', (error: NodeJS.ErrnoException) => errors.push(String(error.code)))
      response.writeHead(200)
      response.end('a')
      expect(writeChunk(response, 'b')).toBe(false)
    })
    expect([frames, errors]).toEqual([`1\r\na\r\n${end}`, ['ERR_STREAM_WRITE_AFTER_END']])
  })
})
