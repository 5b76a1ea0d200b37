/** What limits and a guard add to a call: a limit of tokens, a budget and a pattern on both ways, against the same gateway without them. */
import { compare, type Contestant } from '../alternating.ts'
import { startGateway } from '../gateway-under-test.ts'
import { checkCall } from '../load.ts'
import { freshChats, type ChatModel } from '../requests.ts'
import { atMost, type Row } from '../rows.ts'
import type { Bench, Scenario } from '../scenario.ts'
import { round } from '../statistics.ts'
import { startVendor } from '../topology.ts'

const model = (way: string): object => ({ model: `bench-${way}`, upstreams: [way], guards: ['no-codename'] })

/** Members of the configuration. Nothing of it is ever used up or found: what is measured is looking. */
export const controlled = {
  prices: [{ models: ['bench-*'], input: 0.2, output: 0.4 }],
  limits: {
    rules: [
      { name: 'tokens', per: 'principal', count: 'tokens', limit: 1_000_000_000, window: '1m' },
      { name: 'budget', match: { groups: ['staff'] }, per: 'group', count: 'cost', limit: 1_000_000, window: 'calendar_month' },
    ],
  },
  guards: { 'no-codename': { kind: 'patterns', on: 'both', mode: 'block', deny: ['(?i)project\\s+bluebird'] } },
  routes: ['json', 'sse'].map(model),
}

async function addedTo(bench: Bench, name: string, asked: ChatModel, connections: number, marker: string): Promise<Row> {
  const vendor = await bench.keep(startVendor())
  const contestants = []
  for (const more of [{}, controlled]) {
    const gateway = await bench.keep(startGateway({ vendor: vendor.url, more }))
    contestants.push({
      name: more === controlled ? 'controlled' : 'plain',
      process: gateway,
      url: gateway.url,
      request: freshChats(asked, 'gateway', connections),
      marker,
    })
  }
  const [plain, governed] = await compare(contestants, { connections }, bench.pace)
  if (plain === undefined || governed === undefined) throw new Error('nothing was measured')
  const detail = `${round(governed.cpuMicros, 0)} against ${round(plain.cpuMicros, 0)} us`
  return atMost(`${name}: CPU with two limits and a guard against none`, governed.cpuMicros / plain.cpuMicros, 1.35, 'x', detail)
}

/** What an answer that is given again costs against asking for it, at one gateway: some questions again and again, against others that are all new. */
async function givenAgain(bench: Bench): Promise<Row> {
  const connections = 16
  const vendor = await bench.keep(startVendor())
  const cache = { kind: 'exact', ttl: '1h', scope: 'principal', tools: true }
  const more = { routes: [{ model: 'bench-json', upstreams: ['json'], cache }] }
  const gateway = await bench.keep(startGateway({ vendor: vendor.url, more }))
  const asking = (different?: number): Contestant => ({
    name: different === undefined ? 'miss' : 'hit',
    process: gateway,
    url: gateway.url,
    request: freshChats('bench-json', 'gateway', connections, {}, different),
    marker: different === undefined ? 'x-turnward-cache: miss' : 'x-turnward-cache',
  })
  const few = 64
  const [miss, hit] = await compare([asking(), asking(few)], { connections }, bench.pace)
  if (miss === undefined || hit === undefined) throw new Error('nothing was measured')
  await checkCall(gateway.url, freshChats('bench-json', 'gateway', connections, {}, few)(0), 'x-turnward-cache: hit')
  const detail = `${round(hit.cpuMicros, 0)} against ${round(miss.cpuMicros, 0)} us`
  return atMost('chat call, 2 KB: CPU of an answer given again against asking', hit.cpuMicros / miss.cpuMicros, 0.8, 'x', detail)
}

export const trafficControl: Scenario = {
  name: 'traffic-control',
  run: async (bench) => [
    await addedTo(bench, 'chat call, 2 KB', 'bench-json', 16, 'chatcmpl-bench'),
    await addedTo(bench, 'chat stream, 100 events', 'bench-sse', 64, '[DONE]'),
    await givenAgain(bench),
  ],
}
