/** Many clients whose ids collide, over several replicas: every answer reaches the one who asked, with what it asked for. */
import { rm } from 'node:fs/promises'
import { describe, expect, test } from 'vitest'
import { hasServices } from '../harness/replicas.ts'
import type { Json } from '../harness/json.ts'
import { key } from '../mcp/ledger-place.ts'
import { post } from '../mcp/raw-rpc.ts'
import { replicatedLedger } from './replicated-ledger.ts'

const clients = 200
const callsEach = 25

describe.skipIf(!hasServices)('5,000 tool calls of 200 clients with the same ids, over three replicas', () => {
  test('none is crossed, and each has its decision', async () => {
    const ledger = await replicatedLedger()
    const gateways = await Promise.all(['a', 'b', 'c'].map((name) => ledger.start(name)))
    try {
      const crossed: string[] = []
      const one = async (client: number): Promise<void> => {
        for (let id = 0; id < callsEach; id += 1) {
          const entry = `client-${client}-call-${id}`
          const url = `${gateways[(client + id) % gateways.length]?.url}/mcp/main`
          const { message } = await post({ url, key }, call(id, entry), headers)
          const text = ((message['result'] as Json | undefined)?.['content'] as Json[] | undefined)?.[0]?.['text']
          if (message['id'] !== id || !String(text).includes(entry)) crossed.push(`${entry}: ${JSON.stringify(message).slice(0, 200)}`)
        }
      }
      await Promise.all(Array.from({ length: clients }, (_, client) => one(client)))
      expect(crossed.slice(0, 5)).toEqual([])
      expect(new Set(await ledger.place.ledger()).size).toBe(clients * callsEach)
      expect((await ledger.released()).size).toBe(clients * callsEach)
    } finally {
      await Promise.all(gateways.map((gateway) => gateway.stop()))
      await rm(ledger.place.root, { recursive: true, force: true })
    }
  })
})

const headers = { 'mcp-protocol-version': '2026-07-28', 'mcp-method': 'tools/call', 'mcp-name': 'ledger__put' }

function call(id: number, entry: string): object {
  const meta = {
    'io.modelcontextprotocol/protocolVersion': '2026-07-28',
    'io.modelcontextprotocol/clientInfo': { name: 'the same', version: '1' },
    'io.modelcontextprotocol/clientCapabilities': {},
  }
  return { jsonrpc: '2.0', id, method: 'tools/call', params: { name: 'ledger__put', arguments: { entry }, _meta: meta } }
}
