/** MCP-only users without contracts: after a read, tools that only read stay; what writes or sends goes, from the list and from use. */
import { expect, test } from 'vitest'
import type { Json } from '../harness/json.ts'
import { startGateway } from '../harness/gateway-process.ts'
import { ada } from './office.ts'
import { connectClient, textOf, toolNames } from './official-client.ts'
import { serversReady, startRaw } from './upstream-servers.ts'

const text = { type: 'string' }
const tool = (name: string, annotations: Json, properties: Json = {}): Json => ({
  name,
  annotations,
  inputSchema: { type: 'object', properties },
})

const tracker = [
  tool('list_issues', { readOnlyHint: true }, { query: text }),
  tool('get_issue', { readOnlyHint: true, openWorldHint: false }, { number: { type: 'integer' } }),
  tool('get_image', { readOnlyHint: true }, { url: text }),
  tool('search_web', { readOnlyHint: true }, { query: text }),
  tool('find_answers', { readOnlyHint: true, openWorldHint: true }, { query: text }),
  tool('post_comment', { readOnlyHint: true }, { text }),
  tool('list_labels', {}),
]

async function startTracker(posture: string) {
  const upstream = await startRaw(tracker, { content: [{ type: 'text', text: 'read' }] })
  const gateway = await startGateway({
    config: {
      principals: { ada: {} },
      keys: { ada: { principal: 'ada', secret: ada } },
      grants: [{ principals: ['*'], gateways: ['main'], tools: ['*'] }],
      servers: { tracker: { transport: 'http', url: upstream.url } },
      gateways: { main: { servers: ['tracker'] } },
      policy: { posture },
    },
  })
  await serversReady(gateway.url)
  return {
    gateway,
    async [Symbol.asyncDispose]() {
      await gateway.stop()
      await upstream[Symbol.asyncDispose]()
    },
  }
}

test('in `standard` the reading goes on after the first result, and is shown as such', async () => {
  await using running = await startTracker('standard')
  const client = await connectClient(running.gateway.url, ada, { name: 'reader', mode: 'legacy' })
  expect(await toolNames(client)).toHaveLength(tracker.length)
  for (let again = 0; again < 2; again += 1)
    expect(textOf(await client.callTool({ name: 'tracker__list_issues', arguments: {} }))).toBe('read')
  expect((await toolNames(client)).toSorted()).toEqual(['tracker__get_issue', 'tracker__list_issues'])
  for (const name of ['get_image', 'search_web', 'find_answers', 'post_comment', 'list_labels'])
    expect(textOf(await client.callTool({ name: `tracker__${name}`, arguments: {} })), name).toMatch(/^not run: /)
  const record = await running.gateway.recordThat(({ rules }) => Array.isArray(rules) && rules.includes('read-only tool (undescribed)'))
  expect(record).toMatchObject({
    subject: 'tracker__list_issues',
    action: 'release',
    labelBefore: { trust: 'untrusted', audience: [['ada']] },
  })
  await client.close()
})

test('in `strict` nothing undescribed is listed', async () => {
  await using running = await startTracker('strict')
  const client = await connectClient(running.gateway.url, ada, { name: 'reader' })
  expect(await toolNames(client)).toEqual([])
  await client.close()
})
