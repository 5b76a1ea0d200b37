import { createServer } from 'node:http'
import { connect, type AddressInfo } from 'node:net'
import { afterEach, expect, test } from 'vitest'
import { answerUnreadable } from './unreadable-requests.ts'

const open: { close(): unknown }[] = []
afterEach(() => {
  for (const one of open.splice(0)) one.close()
})

/** Sends these bytes, in two parts with the refusal between them where there are two, and tells all that came back. */
async function exchange(first: string, second = ''): Promise<string> {
  const server = createServer({ maxHeaderSize: 1024 }, (request, response) => {
    request.resume()
    response.writeHead(200).flushHeaders()
  }).on('clientError', answerUnreadable)
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve))
  open.push({ close: () => server.closeAllConnections() }, server)
  return new Promise((resolve, reject) => {
    let text = ''
    const socket = connect((server.address() as AddressInfo).port, '127.0.0.1', () => socket.write(first))
    socket.setEncoding('latin1').on('data', (part: string) => {
      if (text === '' && second !== '') socket.write(second)
      text += part
    })
    socket.on('error', reject).on('close', () => resolve(text))
  })
}

const head = 'POST / HTTP/1.1\r\nhost: x\r\n'

test.each([
  ['what is not HTTP', 'hello\r\n\r\n', '', 400, 'request.invalid'],
  ['headers that are too large', `${head}x-long: ${'a'.repeat(2000)}\r\n`, '', 431, 'request.invalid'],
  ['headers that go on afterwards', `${head}x-long: ${'a'.repeat(2000)}\r\n`, 'x-more: a\r\n'.repeat(10_000), 431, 'request.invalid'],
])('%s: the client reads why', async (_what, first, second, status, code) => {
  const text = await exchange(first, second)
  expect(text).toMatch(new RegExp(`^HTTP/1\\.1 ${status} `))
  expect(text).toContain('connection: close')
  expect(JSON.parse(text.slice(text.indexOf('\r\n\r\n') + 4))).toMatchObject({ error: { code, fix: expect.any(String) } })
})

test('an answer that has begun is cut off, and nothing is written into it', async () => {
  const text = await exchange(`${head}transfer-encoding: chunked\r\n\r\n1\r\na\r\n`, 'not a chunk\r\n')
  expect(text).toMatch(/^HTTP\/1\.1 200 /)
  expect(text).not.toContain('request.invalid')
})
