/** A draft beside the policy is decided live: what it would do otherwise is recorded, counted and shown, and nothing else becomes of it. */
import { writeFile } from 'node:fs/promises'
import { join } from 'node:path'
import { afterAll, beforeAll, describe, expect, test } from 'vitest'
import { startGateway, type RunningGateway } from '../harness/gateway-process.ts'
import type { Json } from '../harness/json.ts'
import { say } from '../harness/model-answer.ts'
import { until } from '../harness/until.ts'
import { startVendor, type Vendor } from '../harness/vendor.ts'
import { ada } from '../mcp/office.ts'
import { connectClient, textOf } from '../mcp/official-client.ts'
import { serversReady, startRaw, type RawUpstream } from '../mcp/upstream-servers.ts'

const input = { type: 'object', properties: { to: { type: 'string' } } }
const tools: Json[] = ['read', 'post', 'pay'].map((name) => ({ name, inputSchema: input }))

let upstream: RawUpstream
let vendor: Vendor
let gateway: RunningGateway
const draft = (contracts: Readonly<Record<string, object>>): string =>
  JSON.stringify({
    include: ['turnward.yaml'],
    contracts: Object.fromEntries(Object.entries(contracts).map(([name, contract]) => [name, { ...contract, override: true }])),
  })
/** Nothing is posted, and who is paid has to be named by the person. */
const strict = draft({
  desk__post: { output: { trust: 'trusted' }, requires: { done: ['asked'] } },
  desk__pay: { output: { trust: 'trusted' }, args: { to: { role: 'destination', from: ['principal'] } } },
})

beforeAll(async () => {
  upstream = await startRaw(tools, { content: [{ type: 'text', text: 'done' }] })
  vendor = await startVendor((request) => say(request, { calls: [{ id: 'c1', name: 'desk__pay', args: { to: 'acct-17' } }] }))
  gateway = await startGateway({
    config: {
      principals: { ada: { emails: ['ada@acme.example'] } },
      keys: { ada: { principal: 'ada', secret: ada } },
      upstreams: { vendor: { kind: 'openai', base_url: vendor.url, credential: 'none' } },
      routes: [{ model: 'm', upstreams: ['vendor'] }],
      grants: [{ principals: ['*'], models: ['*'], gateways: ['main'], tools: ['*'] }],
      servers: { desk: { transport: 'http', url: upstream.url } },
      gateways: { main: { servers: ['desk'] } },
      contracts: {
        desk__read: { output: { trust: 'trusted' } },
        desk__post: { output: { trust: 'trusted' } },
        desk__pay: { output: { trust: 'trusted' } },
      },
      policy: { shadow: 'draft.yaml' },
    },
    files: { 'draft.yaml': strict },
  })
  await serversReady(gateway.url)
})
afterAll(async () => {
  await gateway?.stop()
  await vendor?.[Symbol.asyncDispose]()
  await upstream?.[Symbol.asyncDispose]()
})

async function call(name: string, args: Record<string, unknown> = {}): Promise<string> {
  const client = await connectClient(gateway.url, ada, { name: 'agent', mode: 'legacy' })
  const answer = textOf(await client.callTool({ name: `desk__${name}`, arguments: args }))
  await client.close()
  return answer
}
const metric = async (): Promise<readonly string[]> => {
  const text = await (await fetch(`${gateway.url}/metrics`)).text()
  return text.split('\n').filter((line) => line.startsWith('turnward_policy_shadow_total{'))
}
const decided = (subject: string, kind: string) =>
  gateway.recordThat((record) => record.subject === subject && record.kind === kind && record.type === 'decision')

describe('with a draft', () => {
  test('a call that it would refuse runs; the record, `turns show` and the metric say so', async () => {
    expect(await call('post')).toBe('done')
    const record = await decided('desk__post', 'tool_call')
    expect(record).toMatchObject({
      action: 'release',
      gaps: [],
      shadow: {
        action: 'refuse',
        gaps: [{ kind: 'done', source: 'contract desk__post' }],
        revision: expect.stringMatching(/^[0-9a-f]{12}$/),
      },
    })
    expect((await gateway.cli(['turns', 'show', String(record.turn)])).stdout).toContain('draft  refuse:')
    expect(await metric()).toEqual(['turnward_policy_shadow_total{action="release",draft="refuse"} 1'])
  })

  test('a call that it decides alike leaves no word', async () => {
    expect(await call('read')).toBe('done')
    expect(await decided('desk__read', 'tool_call')).not.toHaveProperty('shadow')
    expect(await metric()).toHaveLength(1)
  })

  test('it looks for what it asks of the values of a call, where the person wrote them and where it comes with a ticket', async () => {
    const ask = async (content: string): Promise<void> => {
      const body = JSON.stringify({
        model: 'm',
        messages: [{ role: 'user', content }],
        tools: [{ type: 'function', function: { name: 'desk__pay', parameters: input } }],
      })
      const headers = { authorization: `Bearer ${ada}`, 'content-type': 'application/json' }
      await (await fetch(`${gateway.url}/v1/chat/completions`, { method: 'POST', headers, body })).text()
    }
    await ask('Pay acct-17.')
    expect(await call('pay', { to: 'acct-17' })).toBe('done')
    expect(await decided('desk__pay', 'tool_proposal')).not.toHaveProperty('shadow')
    const named = await decided('desk__pay', 'tool_call')
    expect(named).toMatchObject({ ticket: 'matched' })
    expect(named).not.toHaveProperty('shadow')
    await ask('Pay somebody.')
    const unnamed = await gateway.recordThat((record) => record.kind === 'tool_proposal' && 'shadow' in record)
    expect(unnamed).toMatchObject({ action: 'release', shadow: { action: 'refuse', gaps: [{ kind: 'provenance' }] } })
  })

  test('an edit of the draft takes effect, and leaves the revision as it is', async () => {
    const before = await gateway.revision()
    await writeFile(join(gateway.dir, 'draft.yaml'), draft({}))
    await until('the draft is followed', async () => {
      const count = (await metric()).join()
      await call('post')
      return (await metric()).join() === count ? true : undefined
    })
    expect(await gateway.revision()).toBe(before)
  })

  test.each([
    ['does not compile', 'include: [turnward.yaml]\ncontracts:\n  a: { requires: { trust: golden } }\n', 'draft.yaml:3'],
    ['has other ranks of trust', 'include: [turnward.yaml]\npolicy: { trust: [low, high] }\n', 'other ranks'],
    ['is not there', undefined, 'does not exist'],
  ])('one that %s is found by `check`', async (_what, text, said) => {
    const path = join(gateway.dir, 'other.yaml')
    const base = JSON.parse(JSON.stringify({ policy: { shadow: text === undefined ? 'none.yaml' : 'draft.yaml' } })) as object
    await writeFile(path, JSON.stringify(base))
    await writeFile(join(gateway.dir, 'draft.yaml'), text === undefined ? draft({}) : text.replace('turnward.yaml', 'other.yaml'))
    const { code, stdout, stderr } = await gateway.cli(['check', '--config', path])
    expect([code, stdout]).toEqual([3, ''])
    expect(stderr).toContain(said)
  })
})
