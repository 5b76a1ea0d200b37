/** A connection goes on serving its client: a refusal that needed no more than the body closes nothing. */
import { Agent, request } from 'node:http'
import { afterAll, beforeAll, expect, test } from 'vitest'
import { secrets } from '../harness/governed-config.ts'
import { startGoverned, withParts, type GovernedGateway } from '../harness/governed-gateway.ts'

let governed: GovernedGateway
beforeAll(async () => {
  governed = await startGoverned(
    withParts({ servers: { away: { transport: 'http', url: 'http://127.0.0.1:9/mcp' } }, gateways: { main: { servers: ['away'] } } }),
  )
  governed.answer({ text: 'ok' })
})
afterAll(() => governed.close())

/** Statuses of these posts, one after the other, and the local ports they went out from. */
async function postAll(
  posts: readonly { readonly path: string; readonly body: string }[],
): Promise<{ statuses: number[]; ports: Set<number | undefined> }> {
  const agent = new Agent({ keepAlive: true, maxSockets: 1 })
  const statuses: number[] = []
  const ports = new Set<number | undefined>()
  for (const { path, body } of posts) {
    await new Promise<void>((resolve, reject) => {
      const headers = {
        authorization: `Bearer ${secrets.alice}`,
        'content-type': 'application/json',
        accept: 'application/json, text/event-stream',
        'content-length': Buffer.byteLength(body),
      }
      const sent = request(`${governed.url}${path}`, { method: 'POST', agent, headers }, (response) => {
        statuses.push(response.statusCode ?? 0)
        response.resume().once('end', resolve)
      })
      sent.once('socket', (socket) => socket.once('connect', () => ports.add(socket.localPort)))
      sent.once('error', reject).end(body)
    })
  }
  agent.destroy()
  return { statuses, ports }
}

const chat = JSON.stringify({ model: 'gpt-test', messages: [{ role: 'user', content: 'hi' }] })

test.each([
  ['calls that are answered', { path: '/v1/chat/completions', body: chat }, 200],
  ['calls whose body is refused', { path: '/v1/chat/completions', body: '{"model":' }, 400],
  [
    'calls of a model nobody granted',
    { path: '/v1/messages', body: JSON.stringify({ model: 'unheard-of', max_tokens: 5, messages: [{ role: 'user', content: 'hi' }] }) },
    404,
  ],
  [
    'messages to a gateway',
    {
      path: '/mcp/main',
      body: JSON.stringify({
        jsonrpc: '2.0',
        id: 1,
        method: 'initialize',
        params: { protocolVersion: '2025-06-18', capabilities: {}, clientInfo: { name: 'test', version: '1' } },
      }),
    },
    200,
  ],
])('one connection is enough for %s', async (_name, post, status) => {
  const { statuses, ports } = await postAll([post, post, post, post])
  expect(statuses).toEqual([status, status, status, status])
  expect(ports.size).toBe(1)
})
