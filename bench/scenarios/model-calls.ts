/** CPU per model call, governed against bare: a small call, a stream, and a long agent history. */
import { compare } from '../alternating.ts'
import { startGateway } from '../gateway-under-test.ts'
import { chatPath, freshChats, historyBody, post, type ChatModel } from '../requests.ts'
import { atMost, told, type Row } from '../rows.ts'
import type { Bench, Scenario } from '../scenario.ts'
import { round } from '../statistics.ts'
import { startBareProxy, startVendor } from '../topology.ts'

type Requests = (at: 'gateway' | 'vendor') => (connection: number, n: number) => Buffer

async function governedAgainstBare(
  bench: Bench,
  name: string,
  limit: number,
  connections: number,
  marker: string,
  requests: Requests,
): Promise<readonly Row[]> {
  const vendor = await bench.keep(startVendor())
  const bare = await bench.keep(startBareProxy(vendor.url))
  const gateway = await bench.keep(startGateway({ vendor: vendor.url }))
  const [floor, governed] = await compare(
    [
      { name: 'bare proxy', process: bare, url: bare.url, request: requests('vendor'), marker },
      { name: 'gateway', process: gateway, url: gateway.url, request: requests('gateway'), marker },
    ],
    { connections },
    bench.pace,
  )
  if (floor === undefined || governed === undefined) throw new Error('nothing was measured')
  const detail = `${round(governed.cpuMicros, 0)} against ${round(floor.cpuMicros, 0)} us; ${round(governed.perSecond, 0)} against ${round(floor.perSecond, 0)} calls/s`
  return [
    atMost(`${name}: CPU against bare`, governed.cpuMicros / floor.cpuMicros, limit, 'x', detail),
    told(`${name}: CPU a call`, governed.cpuMicros, 'us'),
  ]
}

const fresh =
  (model: ChatModel, connections: number): Requests =>
  (at) =>
    freshChats(model, at, connections)

/** Every conversation sends the same history three times, then one round more; after `growth` rounds it begins again. */
export function growing(connections: number): Requests {
  const growth = 12
  return (at) => {
    const bodies = Array.from({ length: connections }, (_, index) =>
      Array.from({ length: growth }, (_unused, grown) =>
        post(chatPath('bench-json', at), historyBody(`c${index}`, 40 + grown), { 'x-turnward-session': `bench-history-${index}` }),
      ),
    )
    return (connection, n) => bodies[connection]?.[Math.floor(n / 3) % growth] ?? Buffer.alloc(0)
  }
}

export const chatJson: Scenario = {
  name: 'chat-json',
  run: (bench) => governedAgainstBare(bench, 'chat call, 2 KB', 2, 16, 'chatcmpl-bench', fresh('bench-json', 16)),
}
export const chatStream: Scenario = {
  name: 'chat-stream',
  run: (bench) => governedAgainstBare(bench, 'chat stream, 100 events', 1.5, 64, '[DONE]', fresh('bench-sse', 64)),
}
export const chatHistory: Scenario = {
  name: 'chat-history',
  run: (bench) => governedAgainstBare(bench, 'chat history, 100 KB and 40 tool results', 2.5, 8, 'chatcmpl-bench', growing(8)),
}

/** What a stream costs when its events come in a few pieces, against a small call of the same gateway. */
export const chatBurst: Scenario = {
  name: 'chat-burst',
  async run(bench) {
    const connections = 16
    const vendor = await bench.keep(startVendor())
    const gateway = await bench.keep(startGateway({ vendor: vendor.url }))
    const contestant = (model: ChatModel, marker: string) => ({
      name: model,
      process: gateway,
      url: gateway.url,
      request: freshChats(model, 'gateway', connections),
      marker,
    })
    const [call, stream] = await compare(
      [contestant('bench-json', 'chatcmpl-bench'), contestant('bench-burst', '[DONE]')],
      { connections },
      bench.pace,
    )
    if (call === undefined || stream === undefined) throw new Error('nothing was measured')
    const detail = `${round(stream.cpuMicros, 0)} against ${round(call.cpuMicros, 0)} us`
    return [atMost('stream of 100 events in 4 pieces: CPU against a small call', stream.cpuMicros / call.cpuMicros, 1.8, 'x', detail)]
  },
}
