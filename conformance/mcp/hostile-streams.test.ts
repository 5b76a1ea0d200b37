/** A stream that cannot be watched is answered with an error status, and the process that answered goes on. */
import { afterAll, beforeAll, describe, expect, test } from 'vitest'
import { secrets } from '../harness/governed-config.ts'
import { startGoverned, withParts, type GovernedGateway } from '../harness/governed-gateway.ts'
import { send, type RawAnswer } from '../harness/raw-http.ts'
import { fixtureServer } from './upstream-servers.ts'
import { post } from './raw-rpc.ts'

let governed: GovernedGateway

beforeAll(async () => {
  governed = await startGoverned(
    withParts({
      servers: { ledger: { transport: 'stdio', command: ['node', fixtureServer('ledger.mjs'), '/tmp'] } },
      gateways: { main: { servers: ['ledger'] } },
    }),
  )
})
afterAll(() => governed?.close())

const malformed: [string, string][] = [
  ['with a space', 'not a session id'],
  ['of 201 characters', 'x'.repeat(201)],
  ['with a letter beyond ASCII', 'caf\u00e9'],
  ['that is empty', ''],
]

async function sessionId(): Promise<string> {
  const params = { protocolVersion: '2025-11-25', capabilities: {}, clientInfo: { name: 'hostile', version: '1' } }
  const opened = await post(
    { url: `${governed.url}/mcp/main`, key: secrets.alice },
    { jsonrpc: '2.0', id: 0, method: 'initialize', params },
  )
  return String(opened.headers.get('mcp-session-id'))
}

async function stillServes(): Promise<void> {
  expect((await send(`${governed.url}/healthz`)).status).toBe(200)
  expect(await (await fetch(`${governed.url}/metrics`)).text()).not.toMatch(/turnward_unhandled_errors_total\{.*\} [1-9]/)
}

describe('a malformed `x-turnward-session`', () => {
  test.each(malformed)('%s: the GET stream of a legacy session is refused before it opens', async (_what, value) => {
    const headers = {
      authorization: `Bearer ${secrets.alice}`,
      accept: 'text/event-stream',
      'mcp-session-id': await sessionId(),
      'mcp-protocol-version': '2025-11-25',
      'x-turnward-session': value,
    }
    const answer = await send(`${governed.url}/mcp/main`, { method: 'GET', headers })
    expectRefusal(answer)
    await stillServes()
  })

  test.each(malformed)('%s: `subscriptions/listen` is refused before it is acknowledged', async (_what, value) => {
    const meta = {
      'io.modelcontextprotocol/protocolVersion': '2026-07-28',
      'io.modelcontextprotocol/clientInfo': { name: 'hostile', version: '1' },
      'io.modelcontextprotocol/clientCapabilities': {},
    }
    const body = JSON.stringify({
      jsonrpc: '2.0',
      id: 1,
      method: 'subscriptions/listen',
      params: { notifications: { toolsListChanged: true }, _meta: meta },
    })
    const headers = {
      authorization: `Bearer ${secrets.alice}`,
      accept: 'application/json, text/event-stream',
      'content-type': 'application/json',
      'mcp-protocol-version': '2026-07-28',
      'mcp-method': 'subscriptions/listen',
      'x-turnward-session': value,
    }
    const answer = await send(`${governed.url}/mcp/main`, { headers, body })
    expectRefusal(answer)
    expect(answer.text).not.toContain('acknowledged')
    await stillServes()
  })
})

function expectRefusal({ status, text, complete, headers }: RawAnswer): void {
  expect([status, complete, headers['content-type']]).toEqual([400, true, 'application/json'])
  expect(text).toContain('request.invalid')
  expect(text).toContain('x-turnward-session')
}
