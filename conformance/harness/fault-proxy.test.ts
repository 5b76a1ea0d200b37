/** The proxy does what it says, or the tests that use it prove nothing. */
import { once } from 'node:events'
import { connect, createServer, type AddressInfo, type Server, type Socket } from 'node:net'
import { afterEach, beforeEach, expect, test } from 'vitest'
import { FaultProxy } from './fault-proxy.ts'
import { until, within } from './until.ts'

let upstream: Server
let received: string
let proxy: FaultProxy
const sockets: Socket[] = []

beforeEach(async () => {
  received = ''
  upstream = createServer((socket) => {
    socket.on('error', () => {})
    socket.on('data', (chunk) => {
      received += String(chunk)
      socket.write(`answer to ${String(chunk)}`)
    })
  }).listen(0, '127.0.0.1')
  await once(upstream, 'listening')
  proxy = await FaultProxy.to((upstream.address() as AddressInfo).port)
})

afterEach(async () => {
  for (const socket of sockets.splice(0)) socket.destroy()
  await proxy[Symbol.asyncDispose]()
  upstream.close()
})

interface Client {
  readonly socket: Socket
  text(): string
  isClosed(): boolean
}

function client(): Client {
  const socket = connect(proxy.port, '127.0.0.1')
  sockets.push(socket)
  let [text, closed] = ['', false]
  socket.on('data', (chunk) => void (text += String(chunk)))
  socket.on('error', () => {})
  socket.on('close', () => void (closed = true))
  return { socket, text: () => text, isClosed: () => closed }
}

const sees = (one: Client, text: string): Promise<true> => until(text, () => (one.text().includes(text) ? (true as const) : undefined))
const closes = (one: Client): Promise<true> => until('the end', () => (one.isClosed() ? (true as const) : undefined))

test('it carries both ways, late when it is told to', async () => {
  const one = client()
  one.socket.write('a')
  await sees(one, 'answer to a')
  proxy.delay(5)
  one.socket.write('b')
  await sees(one, 'answer to b')
})

test('it cuts what there is and takes what is new, until it refuses', async () => {
  const one = client()
  one.socket.write('a')
  await sees(one, 'answer to a')
  proxy.cut()
  await closes(one)
  const other = client()
  other.socket.write('b')
  await sees(other, 'answer to b')
  proxy.refuse()
  await closes(other)
  await closes(client())
  proxy.behave()
  const last = client()
  last.socket.write('c')
  await sees(last, 'answer to c')
})

test('it holds what comes while it stalls, and delivers it afterwards', async () => {
  const one = client()
  one.socket.write('a')
  await sees(one, 'answer to a')
  proxy.stall()
  one.socket.write('b')
  const other = client()
  other.socket.write('c')
  await until('two connections', () => (proxy.connections === 2 ? true : undefined))
  expect(received).toBe('a')
  proxy.behave()
  await sees(one, 'answer to b')
  await sees(other, 'answer to c')
})

test('it takes a request there and loses the answer with the connection', async () => {
  const one = client()
  const swallowed = proxy.swallowAnswer((request) => request.includes('second'))
  one.socket.write('first')
  await sees(one, 'answer to first')
  one.socket.write('second')
  await within('the loss', swallowed)
  await closes(one)
  expect(received).toBe('firstsecond')
  expect(one.text()).toBe('answer to first')
})

test('it sends new connections elsewhere after a failover', async () => {
  const elsewhere = createServer((socket) => socket.end('elsewhere')).listen(0, '127.0.0.1')
  await once(elsewhere, 'listening')
  proxy.redirect((elsewhere.address() as AddressInfo).port)
  await sees(client(), 'elsewhere')
  elsewhere.close()
})
