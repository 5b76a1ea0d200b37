/** Whom a legacy server asks that shares one session between many requests: whoever's request it is, and nobody when that is not certain. */
import { once } from 'node:events'
import { createServer, type ServerResponse } from 'node:http'
import { afterEach, beforeEach, expect, test } from 'vitest'
import type { JsonObject } from '../../core/json.ts'
import { listenOn } from '../running-parts.fixture.ts'
import type { Exchange } from './exchange.ts'
import { openLegacyHttp } from './http-legacy.ts'
import { HttpWire } from './http-wire.ts'

let exchange: Exchange
/** The stream of the session. */
let stream: ServerResponse
/** Calls that run, by the name of their tool. */
let running: Map<string, { readonly id: unknown; readonly response: ServerResponse }>
let answers: JsonObject[]
let close: () => void

beforeEach(async () => {
  running = new Map()
  answers = []
  const streaming = Promise.withResolvers<void>()
  const server = createServer(async (request, response) => {
    if (request.method === 'GET') {
      stream = response
      response.writeHead(200, { 'content-type': 'text/event-stream' }).flushHeaders()
      streaming.resolve()
      return
    }
    let text = ''
    for await (const chunk of request) text += String(chunk)
    const message = (text === '' ? {} : JSON.parse(text)) as JsonObject
    const reply = (result: JsonObject): void => {
      response
        .writeHead(200, { 'content-type': 'application/json', 'mcp-session-id': 's' })
        .end(JSON.stringify({ jsonrpc: '2.0', id: message.id, result }))
    }
    if (message.method === 'initialize') reply({ protocolVersion: '2025-11-25', capabilities: {}, serverInfo: { name: 's', version: '1' } })
    else if (message.method === 'tools/call') {
      response.writeHead(200, { 'content-type': 'text/event-stream' }).flushHeaders()
      running.set(String((message.params as JsonObject).name), { id: message.id, response })
      server.emit('call')
    } else {
      if (message.method === undefined) {
        answers.push(message)
        server.emit('answer')
      }
      response.writeHead(202).end()
    }
  })
  const port = await listenOn(server)
  const limits = { maxResponseBytes: 1_000_000, maxEventBytes: 100_000 }
  const wire = new HttpWire({ server: 's', url: `http://127.0.0.1:${port}/`, headers: {}, connections: 4, limits })
  exchange = await openLegacyHttp(wire, { onListChanged() {} }, { elicitation: { form: {} } })
  await streaming.promise
  call = async (name, onAsk) => {
    const begun = once(server, 'call')
    const ended = exchange.request('tools/call', { name }, { signal: new AbortController().signal, onAsk })
    ended.catch(() => {})
    await begun
  }
  ask = async (response) => {
    const answered = once(server, 'answer')
    response.write(`data: ${JSON.stringify({ jsonrpc: '2.0', id: 'q', method: 'elicitation/create', params: { message: 'Who?' } })}\n\n`)
    await answered
    return answers.at(-1) ?? {}
  }
  close = () => {
    server.closeAllConnections()
    server.close()
  }
})
afterEach(async () => {
  await exchange.close().catch(() => {})
  close()
})

let call: (name: string, onAsk?: () => Promise<{ result: JsonObject }>) => Promise<void>
let ask: (response: ServerResponse) => Promise<JsonObject>

const answering = (name: string) => async () => ({ result: { action: 'accept', content: { name } } })

test('on the stream of a request, whoever made it is asked', async () => {
  await call('one', answering('Ada'))
  await call('other', answering('Bob'))
  expect(await ask(running.get('other')?.response as ServerResponse)).toMatchObject({ id: 'q', result: { content: { name: 'Bob' } } })
  expect(await ask(running.get('one')?.response as ServerResponse)).toMatchObject({ id: 'q', result: { content: { name: 'Ada' } } })
})

test('on the stream of the session, whoever’s request is the only one', async () => {
  await call('one', answering('Ada'))
  expect(await ask(stream)).toMatchObject({ result: { content: { name: 'Ada' } } })
})

test('on the stream of the session, nobody while others run too, whether they could be asked or not', async () => {
  await call('one', answering('Ada'))
  await call('other')
  expect(await ask(stream)).toMatchObject({ error: { code: -32601 } })
  expect(await ask(running.get('other')?.response as ServerResponse)).toMatchObject({ error: { code: -32601 } })
})
