/** Clients that are slow on purpose, many at once, while honest ones are served. Shared by the fast and the long suite. */
import { Agent, request as httpRequest } from 'node:http'
import { expect } from 'vitest'
import { governedConfig, secretEnv, secrets } from '../harness/governed-config.ts'
import { startGateway, type RunningGateway } from '../harness/gateway-process.ts'
import { eventsOf, say } from '../harness/model-answer.ts'
import { until, within } from '../harness/until.ts'
import { startVendor, type VendorReply, type VendorRequest } from '../harness/vendor.ts'
import { inspect, inspectable } from './inspection.ts'
import { stateOf } from './process-state.ts'
import { dial, postHead, type RawConnection } from './raw-connection.ts'
import { inParallel } from './in-parallel.ts'

export interface Slowness {
  /** Sent at once. */
  readonly first: string
  /** Sent every 100 ms after that; nothing when undefined. */
  readonly dribble?: string
}

const path = '/v1/chat/completions'
const wrongKey = 'tw_nobody_knows_this_key_00000'
const mcpHead = 'mcp-protocol-version: 2026-07-28\r\nmcp-method: tools/list\r\n'

/** Slow ways to ask. All of them must end by the gateway's doing. */
export const slowRequests: Readonly<Record<string, Slowness>> = {
  'say nothing': { first: '' },
  'send a head byte by byte': { first: 'POST /v1/chat/completions HTTP/1.1\r\nx-slow: ', dribble: 'a' },
  'send headers line by line': { first: 'POST /v1/chat/completions HTTP/1.1\r\n', dribble: 'x-a: b\r\n' },
  'announce a body and send none': { first: postHead(path, secrets.alice, 100) },
  'send a body byte by byte': { first: postHead(path, secrets.alice, 100_000), dribble: ' ' },
  'send an MCP body byte by byte': { first: postHead('/mcp/main', secrets.alice, 100_000, mcpHead), dribble: ' ' },
  'send chunks of one byte': {
    first: postHead(path, secrets.alice, 0).replace('content-length: 0', 'transfer-encoding: chunked'),
    dribble: '1\r\n \r\n',
  },
  'send the body of a stranger byte by byte': { first: postHead(path, wrongKey, 100_000), dribble: ' ' },
  'send the MCP body of a stranger byte by byte': { first: postHead('/mcp/main', wrongKey, 100_000, mcpHead), dribble: ' ' },
  'send a probe a body byte by byte': { first: postHead('/healthz', secrets.alice, 100_000).replace('POST', 'GET'), dribble: ' ' },
}

export interface PatientGateway extends AsyncDisposable {
  readonly gateway: RunningGateway
  readonly url: string
}

/** A gateway with short deadlines, so many connections to its one vendor, and an inspector. */
export async function startPatientGateway(connections: number): Promise<PatientGateway> {
  const vendor = await startVendor(longOrShort)
  const config = governedConfig({ openai: vendor.url, anthropic: vendor.url })
  const gateway = await startGateway({
    config: {
      ...config,
      upstreams: { openai: { ...(config['upstreams'] as Record<string, object>)['openai'], connections, idle_timeout_ms: 6000 } },
      routes: [{ model: 'gpt-test', upstreams: ['openai'] }],
      limits: { header_timeout_ms: 3000, body_timeout_ms: 3000 },
      gateways: { main: { servers: ['none'] } },
      servers: { none: { transport: 'http', url: 'http://127.0.0.1:9/mcp' } },
    },
    env: { ...secretEnv, ...inspectable },
  })
  const patient: PatientGateway = {
    gateway,
    url: gateway.url,
    async [Symbol.asyncDispose]() {
      await gateway.stop()
      await vendor.close()
    },
  }
  await honest(patient)
  return patient
}

/** Comments: bytes that pass, and that nobody has a reason to keep. */
const comment = `: ${'x'.repeat(32 * 1024)}\n\n`

/** Eight megabytes for those who ask for a long answer: more than any socket buffers. */
function longOrShort(request: VendorRequest): VendorReply {
  if (!JSON.stringify(request.body['messages']).includes('long')) return say(request, { text: 'Served.' })
  const [first = '', ...rest] = eventsOf(request, { text: 'Long.' })
  return { headers: { 'content-type': 'text/event-stream' }, parts: [first, ...Array.from({ length: 256 }, () => comment), ...rest] }
}

/** One honest call on a connection that is kept, as clients do. */
export async function honest(patient: PatientGateway): Promise<void> {
  const body = JSON.stringify({ model: 'gpt-test', messages: [{ role: 'user', content: 'short' }] })
  const answer = new Promise<number>((resolve, reject) => {
    const request = httpRequest(
      `${patient.url}${path}`,
      {
        method: 'POST',
        agent: kept,
        headers: { authorization: `Bearer ${secrets.alice}`, 'content-type': 'application/json', 'content-length': body.length },
      },
      (response) => {
        response.resume().on('end', () => resolve(response.statusCode ?? 0))
      },
    )
    request.on('error', reject)
    request.end(body)
  })
  expect(await within('an honest call', answer)).toBe(200)
}

const kept = new Agent({ keepAlive: true, maxSockets: 2 })

/** So many clients ask in this way; resolves when the gateway has ended all of them. Honest calls are made meanwhile. */
export async function askSlowly(patient: PatientGateway, { first, dribble }: Slowness, clients: number): Promise<void> {
  const connections = await dialMany(patient, clients)
  for (const { socket } of connections) socket.write(first)
  const timer = setInterval(() => {
    for (const { socket } of connections) if (dribble !== undefined && socket.writable) socket.write(dribble)
  }, 100)
  let open = clients
  for (const { closed } of connections) closed.then(() => (open -= 1)).catch(() => undefined)
  try {
    await until('the end of every slow connection', async () => {
      await honest(patient)
      return open === 0 ? true : undefined
    })
  } catch (error) {
    throw new Error(`${open} of ${clients} slow connections are still open`, { cause: error })
  } finally {
    clearInterval(timer)
    for (const { socket } of connections) socket.destroy()
  }
}

/** So many clients ask for a long stream and read nothing. Honest calls are made meanwhile, and the gateway holds no more than so many megabytes. */
export async function readNothing(patient: PatientGateway, clients: number, megabytes: number): Promise<void> {
  const before = stateOf(patient.gateway.pid)
  const inspector = await inspect(patient.gateway)
  const inside = await inspector.look()
  const connections = await dialMany(patient, clients)
  const body = JSON.stringify({ model: 'gpt-test', stream: true, messages: [{ role: 'user', content: 'long' }] })
  try {
    for (const { socket } of connections) {
      socket.pause()
      socket.write(postHead(path, secrets.alice, body.length) + body)
    }
    for (let call = 0; call < 20; call += 1) await honest(patient)
    await inspector.shrinks('what clients that read nothing cost', inside, megabytes)
  } finally {
    inspector.close()
    for (const { socket } of connections) socket.destroy()
    await until('the end of every connection', () => (stateOf(patient.gateway.pid).sockets <= before.sockets + 4 ? true : undefined))
    await honest(patient)
  }
}

async function dialMany(patient: PatientGateway, count: number): Promise<RawConnection[]> {
  const connections: RawConnection[] = []
  await inParallel(
    Array.from({ length: count }, (_, index) => index),
    50,
    async () => {
      const connection = await dial(patient.url)
      connection.socket.on('error', () => undefined)
      connections.push(connection)
    },
  )
  return connections
}
