/** What servers tell of by themselves: changed lists, changed resources, log messages; to clients of both eras. */
import type { Client } from '@modelcontextprotocol/client'
import { afterAll, beforeAll, describe, expect, test } from 'vitest'
import { startGateway, type RunningGateway } from '../harness/gateway-process.ts'
import { until } from '../harness/until.ts'
import { ada, bob } from './mixed-fleet.ts'
import { connectClient, modes } from './official-client.ts'
import { fixtureServer, serversReady } from './upstream-servers.ts'

let gateway: RunningGateway
beforeAll(async () => {
  gateway = await startGateway({
    config: {
      principals: { ada: {}, bob: {} },
      keys: { ada: { principal: 'ada', secret: ada }, bob: { principal: 'bob', secret: bob } },
      grants: [
        { principals: ['ada'], gateways: ['main'], tools: ['*'] },
        { principals: ['bob'], gateways: ['main'], tools: ['notes__*'] },
      ],
      servers: { notes: { transport: 'stdio', command: ['node', fixtureServer('notes.mjs')] } },
      gateways: { main: { servers: ['notes'] } },
      contracts: { '*': { output: { trust: 'trusted' } } },
    },
  })
  await serversReady(gateway.url)
})
afterAll(() => gateway?.stop())

/** What a client is told, in order. */
function hearing(client: Client): { readonly heard: { method: string; params: unknown }[] } {
  const heard: { method: string; params: unknown }[] = []
  for (const method of [
    'notifications/tools/list_changed',
    'notifications/prompts/list_changed',
    'notifications/resources/list_changed',
    'notifications/resources/updated',
    'notifications/message',
  ] as const)
    client.setNotificationHandler(method, async (notification) => {
      heard.push({ method, params: notification.params })
    })
  return { heard }
}

const uri = 'notes://today'
const write = (client: Client, text: string) => client.callTool({ name: 'notes__write', arguments: { text } })
const legacyModes = modes.filter(([name]) => name === 'legacy')

describe.each(legacyModes)('the official client in %s mode', (_name, mode) => {
  test('is told of a resource it has subscribed to, and of no other, until it unsubscribes', async () => {
    const client = await connectClient(gateway.url, ada, { mode })
    const { heard } = hearing(client)
    await client.subscribeResource({ uri })
    await write(client, 'milk')
    await until('the update', () => heard.find(({ method }) => method === 'notifications/resources/updated'))
    expect(heard.filter(({ method }) => method === 'notifications/resources/updated').map(({ params }) => params)).toEqual([{ uri }])
    expect((await client.readResource({ uri })).contents).toEqual([expect.objectContaining({ text: 'milk' })])
    await client.unsubscribeResource({ uri })
    await write(client, 'eggs')
    await client.callTool({ name: 'notes__add_prompt', arguments: {} })
    await until('a changed list', () => heard.find(({ method }) => method === 'notifications/prompts/list_changed'))
    expect(heard.filter(({ method }) => method === 'notifications/resources/updated')).toHaveLength(1)
    await client.close()
  })

  test('is told of what is logged while its own request runs, from the level on that it asks for', async () => {
    const client = await connectClient(gateway.url, ada, { mode })
    const other = await connectClient(gateway.url, ada, { mode })
    const [own, others] = [hearing(client), hearing(other)]
    const logs = ({ heard }: typeof own) =>
      heard.filter(({ method }) => method === 'notifications/message').map(({ params }) => (params as { data: string }).data)
    await client.callTool({ name: 'notes__log', arguments: {} })
    expect(logs(own)).toEqual([])
    await client.setLoggingLevel('warning')
    await client.callTool({ name: 'notes__log', arguments: {} })
    expect(logs(own)).toEqual(['a warning', 'an error'])
    await client.setLoggingLevel('debug')
    await client.callTool({ name: 'notes__log', arguments: {} })
    expect(logs(own).slice(2)).toEqual(['a detail', 'a warning', 'an error'])
    expect(logs(others)).toEqual([])
    await client.close()
    await other.close()
  })

  test('subscribes to nothing it could not read', async () => {
    const client = await connectClient(gateway.url, bob, { mode })
    await expect(client.subscribeResource({ uri })).rejects.toMatchObject({ code: -32602 })
    await client.close()
  })
})

describe('a modern stream', () => {
  const meta = {
    'io.modelcontextprotocol/protocolVersion': '2026-07-28',
    'io.modelcontextprotocol/clientInfo': { name: 't', version: '1' },
    'io.modelcontextprotocol/clientCapabilities': {},
  }
  const post = (key: string, method: string, params: object, more: Record<string, string> = {}) =>
    fetch(`${gateway.url}/mcp/main`, {
      method: 'POST',
      headers: {
        authorization: `Bearer ${key}`,
        'content-type': 'application/json',
        accept: 'application/json, text/event-stream',
        'mcp-protocol-version': '2026-07-28',
        'mcp-method': method,
        ...more,
      },
      body: JSON.stringify({ jsonrpc: '2.0', id: 'sub', method, params: { _meta: meta, ...params } }),
    })

  async function* messages(response: Response): AsyncGenerator<Record<string, unknown>> {
    let text = ''
    for await (const chunk of response.body as unknown as AsyncIterable<Uint8Array>) {
      text += Buffer.from(chunk).toString()
      for (let end = text.indexOf('\n\n'); end >= 0; end = text.indexOf('\n\n')) {
        const data = text
          .slice(0, end)
          .split('\n')
          .find((line) => line.startsWith('data: '))
        text = text.slice(end + 2)
        if (data !== undefined) yield JSON.parse(data.slice(6)) as Record<string, unknown>
      }
    }
  }

  test('tells of the lists and resources it has acknowledged', async () => {
    const client = await connectClient(gateway.url, ada)
    const wanted = { promptsListChanged: true, resourceSubscriptions: [uri, 'notes://nowhere'] }
    const stream = messages(await post(ada, 'subscriptions/listen', { notifications: wanted }))
    const next = async () => (await stream.next()).value as { method: string; params: Record<string, unknown> }
    expect(await next()).toMatchObject({
      method: 'notifications/subscriptions/acknowledged',
      params: { notifications: { promptsListChanged: true, resourceSubscriptions: expect.arrayContaining([uri]) as unknown } },
    })
    await write(client, 'bread')
    expect(await next()).toMatchObject({ method: 'notifications/resources/updated', params: { uri } })
    await client.callTool({ name: 'notes__add_prompt', arguments: {} })
    expect(await next()).toMatchObject({ method: 'notifications/prompts/list_changed' })
    await stream.return(undefined)
    await client.close()
  })

  test('acknowledges no resource to those who cannot read it', async () => {
    const stream = messages(
      await post(bob, 'subscriptions/listen', { notifications: { toolsListChanged: true, resourceSubscriptions: [uri] } }),
    )
    const first = (await stream.next()).value as { params: { notifications: object } }
    expect(first.params.notifications).toEqual({ toolsListChanged: true })
    await stream.return(undefined)
  })

  test('carries what is logged while a request runs, when the request says from which level on', async () => {
    const call = async (level: object) => {
      const response = await post(
        ada,
        'tools/call',
        { name: 'notes__log', arguments: {}, _meta: { ...meta, ...level } },
        { 'mcp-name': 'notes__log' },
      )
      const text = await response.text()
      return [...text.matchAll(/"data":"([^"]*)"/g)].map(([, data]) => data)
    }
    expect(await call({})).toEqual([])
    expect(await call({ 'io.modelcontextprotocol/logLevel': 'error' })).toEqual(['an error'])
  })
})
