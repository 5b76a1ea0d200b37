/** A vendor of realtime sessions on a real socket: keeps what it is sent, and says what a test has it say. */
import { createServer, type IncomingHttpHeaders } from 'node:http'
import type { AddressInfo } from 'node:net'
import { type WebSocket, WebSocketServer } from 'ws'
import type { Json } from './json.ts'
import { until } from './until.ts'

export interface VendorSession {
  readonly path: string
  readonly headers: IncomingHttpHeaders
  /** Events of the client, in order. */
  readonly events: readonly Json[]
  readonly socket: WebSocket
  /** The code it was closed with; undefined while it is open. */
  readonly closed: number | undefined
  say(...events: readonly (object | string)[]): void
  /** Waits for an event, and gives the newest that fits. */
  heard(type: string, count?: number): Promise<Json>
}

export interface RealtimeVendor extends AsyncDisposable {
  /** `http://127.0.0.1:port/v1`, for `base_url`. */
  readonly url: string
  readonly sessions: readonly VendorSession[]
  /** Answers handshakes with this status from now on; undefined: it takes them. */
  refuse(status: number | undefined): void
  /** Answers an event of the client from now on. */
  respond(responder: (event: Json, session: VendorSession) => void): void
  session(count?: number): Promise<VendorSession>
}

export async function startRealtimeVendor(): Promise<RealtimeVendor> {
  let responder: (event: Json, session: VendorSession) => void = () => {}
  let status: number | undefined
  const sessions: VendorSession[] = []
  const sockets = new WebSocketServer({ noServer: true })
  const server = createServer((_request, response) => void response.writeHead(404).end())
  server.on('upgrade', (request, connection, head) => {
    if (status !== undefined) {
      connection.end(`HTTP/1.1 ${status} No\r\ncontent-length: 2\r\nconnection: close\r\n\r\nno`)
      return
    }
    sockets.handleUpgrade(request, connection, head, (socket) => {
      const events: Json[] = []
      const state: { closed: number | undefined } = { closed: undefined }
      const session: VendorSession = {
        path: request.url ?? '',
        headers: request.headers,
        events,
        socket,
        get closed() {
          return state.closed
        },
        say: (...said) => said.forEach((event) => socket.send(typeof event === 'string' ? event : JSON.stringify(event))),
        async heard(type, count = 1) {
          const found = (): Json[] => events.filter((event) => event['type'] === type)
          return until(`${type} at the vendor`, () => (found().length >= count ? found().at(-1) : undefined))
        },
      }
      sessions.push(session)
      socket.on('error', () => {})
      socket.on('close', (code) => (state.closed = code))
      socket.on('message', (data) => {
        const event = JSON.parse(String(data)) as Json
        events.push(event)
        responder(event, session)
      })
      session.say({ type: 'session.created', event_id: 'event_0', session: { type: 'realtime', tools: [] } })
    })
  })
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve))
  return {
    url: `http://127.0.0.1:${(server.address() as AddressInfo).port}/v1`,
    sessions,
    refuse: (next) => void (status = next),
    respond: (next) => void (responder = next),
    session: (count = 1) => until(`session ${count} at the vendor`, () => (sessions.length >= count ? sessions.at(-1) : undefined)),
    async [Symbol.asyncDispose]() {
      for (const client of sessions) client.socket.terminate()
      await new Promise((resolve) => server.close(resolve))
    },
  }
}

/** An answer as the vendor sends it: words, and calls. */
export function answerEvents(
  id: string,
  calls: readonly { readonly id: string; readonly name: string; readonly args?: object }[],
  text?: string,
): object[] {
  const base = { response_id: id }
  const items: object[] = []
  const events: object[] = [
    { type: 'response.created', event_id: `${id}_c`, response: { id, conversation_id: 'conv_1', status: 'in_progress', output: [] } },
  ]
  if (text !== undefined) {
    const item = { id: `${id}_m`, type: 'message', role: 'assistant', status: 'completed', content: [{ type: 'output_text', text }] }
    items.push(item)
    events.push(
      { type: 'response.output_item.added', ...base, output_index: 0, item: { ...item, status: 'in_progress', content: [] } },
      { type: 'response.output_text.delta', ...base, item_id: item.id, output_index: 0, content_index: 0, delta: text },
      { type: 'response.output_text.done', ...base, item_id: item.id, output_index: 0, content_index: 0, text },
      { type: 'response.output_item.done', ...base, output_index: 0, item },
    )
  }
  for (const call of calls) {
    const args = JSON.stringify(call.args ?? {})
    const item = { id: `item_${call.id}`, type: 'function_call', name: call.name, call_id: call.id, arguments: args, status: 'completed' }
    const begun = { ...item, arguments: '', status: 'in_progress' }
    const at = { ...base, item_id: item.id, output_index: items.length, call_id: call.id }
    events.push(
      { type: 'response.output_item.added', ...base, output_index: items.length, item: begun },
      { type: 'conversation.item.added', previous_item_id: null, item: begun },
      { type: 'response.function_call_arguments.delta', ...at, delta: args.slice(0, 1) },
      { type: 'response.function_call_arguments.delta', ...at, delta: args.slice(1) },
      { type: 'response.function_call_arguments.done', ...at, name: call.name, arguments: args },
      { type: 'conversation.item.done', previous_item_id: null, item },
      { type: 'response.output_item.done', ...base, output_index: items.length, item },
    )
    items.push(item)
  }
  events.push({
    type: 'response.done',
    event_id: `${id}_d`,
    response: {
      id,
      conversation_id: 'conv_1',
      status: 'completed',
      output: items,
      usage: { input_tokens: 7, output_tokens: 3, input_token_details: { cached_tokens: 2 } },
    },
  })
  return events
}
