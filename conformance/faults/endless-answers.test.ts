/** An upstream that never stops talking: in text, in one event, in one call, in headers, in a whole answer. The gateway gives up before its memory does. */
import { afterAll, beforeAll, expect, test } from 'vitest'
import { governedConfig, secretEnv, secrets } from '../harness/governed-config.ts'
import { startGateway, type RunningGateway } from '../harness/gateway-process.ts'
import { eventsOf } from '../harness/model-answer.ts'
import { until } from '../harness/until.ts'
import { startVendor, type Vendor, type VendorReply, type VendorRequest } from '../harness/vendor.ts'
import { inspect, inspectable } from './inspection.ts'
import { dial, postHead } from './raw-connection.ts'

const megabyte = 1024 * 1024

let vendor: Vendor
let gateway: RunningGateway
let inspector: Awaited<ReturnType<typeof inspect>>
beforeAll(async () => {
  vendor = await startVendor()
  const { upstreams, ...config } = governedConfig({ openai: vendor.url, anthropic: vendor.url })
  gateway = await startGateway({
    config: { ...config, upstreams, limits: { max_event_bytes: 4 * megabyte, max_response_bytes: 8 * megabyte } },
    env: { ...secretEnv, ...inspectable },
  })
  inspector = await inspect(gateway)
})
afterAll(async () => {
  inspector?.close()
  await gateway?.stop()
  await vendor?.close()
})

const filler = 'x'.repeat(256 * 1024)
const delta = (part: object): string =>
  `data: ${JSON.stringify({ id: 'c', object: 'chat.completion.chunk', created: 1, model: 'm', choices: [{ index: 0, delta: part, finish_reason: null }] })}\n\n`
const block = (part: object): string =>
  `event: content_block_delta\ndata: ${JSON.stringify({ type: 'content_block_delta', index: 0, delta: part })}\n\n`

/** What is said before, and then again and again. */
type Talk = (request: VendorRequest) => { readonly first: readonly string[]; readonly again: string }

const talks: Readonly<Record<string, Talk>> = {
  'text of a chat stream': (request) => ({ first: eventsOf(request, { text: '' }).slice(0, 1), again: delta({ content: filler }) }),
  'text of a messages stream': (request) => ({
    first: eventsOf(request, { text: 'x' }).slice(0, 4),
    again: block({ type: 'text_delta', text: filler }),
  }),
  'arguments of a chat call': (request) => ({
    first: eventsOf(request, { calls: [{ id: 'call_1', name: 'get_time', args: {} }] }).slice(0, 2),
    again: delta({ tool_calls: [{ index: 0, function: { arguments: filler } }] }),
  }),
  'arguments of a messages call': (request) => ({
    first: eventsOf(request, { calls: [{ id: 'toolu_1', name: 'get_time', args: { a: 1 } }] }).slice(0, 4),
    again: block({ type: 'input_json_delta', partial_json: filler }),
  }),
  'one event of a chat stream': () => ({ first: ['data: {"a":"'], again: filler }),
  'one event of a messages stream': () => ({ first: ['event: ping\ndata: {"a":"'], again: filler }),
}

const entrances = [
  { client: 'chat', path: '/v1/chat/completions' },
  { client: 'messages', path: '/v1/messages' },
] as const

const cases = Object.keys(talks).flatMap((what) =>
  entrances.map(({ client, path }) => ({ what, client, path, model: what.includes('messages') ? 'claude-test' : 'gpt-test' })),
)

test.each(cases)('without end: $what, for a $client client', async ({ what, path, model }) => {
  const before = await inspector.look()
  vendor.respond((request): VendorReply => {
    const { first, again } = (talks[what] as Talk)(request)
    // 64 MB stand for no end: a gateway that keeps them shows it.
    return {
      headers: { 'content-type': 'text/event-stream' },
      parts: [...first, ...Array.from({ length: 256 }, () => again)],
      ends: 'never',
    }
  })
  const connection = await dial(gateway.url)
  let received = 0
  connection.socket.on('data', (chunk: Buffer) => (received += chunk.length))
  const body = JSON.stringify({ model, stream: true, max_tokens: 99, messages: [{ role: 'user', content: 'hi' }] })
  connection.socket.write(postHead(path, secrets.alice, body.length, 'connection: close\r\n') + body)
  // Either it is given up, or all of it passes; in neither case is it kept.
  await until('the end of the answer', () => (connection.socket.closed || received > 63 * megabyte ? true : undefined))
  await inspector.shrinks('what an endless answer costs', before, 24)
  connection.socket.destroy()
  if (received < megabyte) expect(connection.text()).toMatch(/"type":"(server_error|api_error)"/)
  expect(await vendor.last().ended).toBe('left')
})
