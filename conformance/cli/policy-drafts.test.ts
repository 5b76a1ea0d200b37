/** From `posture: observe` to `standard`: what the log saw is reported, drafted, pasted, and then enforced without a surprise. */
import { afterAll, beforeAll, describe, expect, test } from 'vitest'
import { parse } from 'yaml'
import { startGateway, type RunningGateway } from '../harness/gateway-process.ts'
import type { Json } from '../harness/json.ts'
import { ada } from '../mcp/office.ts'
import { connectClient, textOf } from '../mcp/official-client.ts'
import { serversReady, startRaw, type RawUpstream } from '../mcp/upstream-servers.ts'

const text = { type: 'string' }
const tools: Json[] = [
  { name: 'list_issues', annotations: { readOnlyHint: true }, inputSchema: { type: 'object', properties: { query: text } } },
  { name: 'post_comment', inputSchema: { type: 'object', properties: { body: text } } },
  { name: 'send_mail', inputSchema: { type: 'object', properties: { to: text, body: text }, required: ['to'] } },
]

let upstream: RawUpstream
let gateway: RunningGateway
let config: Json
beforeAll(async () => {
  upstream = await startRaw(tools, { content: [{ type: 'text', text: 'done' }] })
  config = {
    principals: { ada: { emails: ['ada@acme.example'] } },
    keys: { ada: { principal: 'ada', secret: ada } },
    grants: [{ principals: ['*'], gateways: ['main'], tools: ['*'] }],
    servers: { tracker: { transport: 'http', url: upstream.url } },
    gateways: { main: { servers: ['tracker'] } },
    policy: { posture: 'observe' },
  }
  gateway = await startGateway({ config })
  await serversReady(gateway.url)
})
afterAll(async () => {
  await gateway?.stop()
  await upstream?.[Symbol.asyncDispose]()
})

const calls = [
  ['list_issues', {}],
  ['list_issues', {}],
  ['post_comment', { body: 'hello' }],
  ['send_mail', { to: 'ada@acme.example', body: 'hello' }],
] as const

async function work(name: string): Promise<string[]> {
  const client = await connectClient(gateway.url, ada, { name, mode: 'legacy' })
  const answers: string[] = []
  for (const [tool, args] of calls) answers.push(textOf(await client.callTool({ name: `tracker__${tool}`, arguments: args })))
  await client.close()
  return answers
}

async function report(...args: readonly string[]): Promise<{ readonly code: number; readonly json: Json }> {
  const { code, stdout } = await gateway.cli(['policy', ...args, '--json'])
  return { code, json: JSON.parse(stdout) as Json }
}

describe('observe, read, switch', () => {
  test('before anything happened, switching is not called safe', async () => {
    const { code, json } = await report('readiness', '--offline')
    expect(code).toBe(5)
    expect(json).toMatchObject({ posture: 'observe', calls: 0, safe: false, wouldRefuse: [], undescribed: [] })
  })

  test('an observed call runs, and `turns tail` says that it would be refused and why', async () => {
    expect(await work('observed')).toEqual(['done', 'done', 'done', 'done'])
    await gateway.recordThat((record) => record.subject === 'tracker__send_mail' && record.type === 'outcome')
    const { stdout } = await gateway.cli(['turns', 'tail', '--no-follow', '-n', '50'])
    expect(stdout).toMatch(/tool_call +would be refused +tracker__post_comment .*: No contract describes the tool/)
    expect(stdout).not.toMatch(/would be refused +tracker__list_issues/)
  })

  test('`readiness` counts what `standard` would have refused, with turns to look at, and names what nobody described', async () => {
    const { code, json } = await report('readiness')
    expect(code).toBe(5)
    expect(json).toMatchObject({ calls: 4, safe: false, switch: 'posture: standard' })
    expect(json['wouldRefuse']).toMatchObject([
      { tool: 'tracker__post_comment', calls: 1, refused: 1, because: [{ kind: 'undescribed', source: 'contracts', count: 1 }] },
      { tool: 'tracker__send_mail', calls: 1, refused: 1 },
    ])
    const [turn] = json['wouldRefuse'][0].because[0].turns as string[]
    expect(await gateway.cli(['turns', 'show', String(turn)])).toMatchObject({
      code: 0,
      stdout: expect.stringContaining('would be refused'),
    })
    expect(json['undescribed']).toEqual([
      { tool: 'tracker__post_comment', seen: 1, server: 'tracker' },
      { tool: 'tracker__send_mail', seen: 1, server: 'tracker' },
      { tool: 'tracker__list_issues', seen: 2, server: 'tracker' },
    ])
    const { stdout } = await gateway.cli(['policy', 'readiness'])
    expect(stdout).toContain('Not yet: `standard` would have refused 2 of 4 calls.')
    expect(stdout).toContain('Then switch: posture: standard')
  })

  test('`suggest` drafts from the server, the same every time, and says how much it covers', async () => {
    const [one, other] = [await gateway.cli(['policy', 'suggest']), await gateway.cli(['policy', 'suggest'])]
    expect(one.stdout).toBe(other.stdout)
    expect(one.stdout).toContain('# tracker: 3 tools, 0 described, 3 drafted')
    const { json } = await report('suggest')
    expect(json).toMatchObject({
      coverage: { tools: 3, described: 0, drafted: 3 },
      drafts: [
        { tool: 'tracker__list_issues', kind: 'reads', seen: 2 },
        { tool: 'tracker__post_comment', kind: 'sends' },
        { tool: 'tracker__send_mail' },
      ],
    })
    expect(parse(one.stdout)).toEqual({
      contracts: {
        tracker__list_issues: { output: { trust: 'untrusted', audience: ['$principal'] } },
        tracker__post_comment: {
          output: { trust: 'untrusted', audience: ['$principal'] },
          effects: ['egress'],
          requires: { trust: 'trusted', audience: { includes: ['public'] } },
        },
        tracker__send_mail: {
          output: { trust: 'untrusted', audience: ['$principal'] },
          effects: ['egress'],
          requires: { trust: 'trusted', audience: { includes: ['$args.to'] } },
        },
      },
    })
  })

  test('without its server it drafts from what the log saw; a server of no name is told', async () => {
    expect((await report('suggest', '--offline')).json).toMatchObject({
      servers: [{ server: 'tracker', from: 'log', tools: 3, drafted: 3 }],
    })
    const wrong = await gateway.cli(['policy', 'suggest', '--server', 'trackr'])
    expect(wrong.code).toBe(1)
    expect(wrong.stderr).toContain('did you mean `tracker`?')
  })

  test('`check` and `tools list` say that a server has undescribed tools', async () => {
    expect((await gateway.cli(['check'])).stdout).toContain('no contract describes a tool of tracker: `turnward policy suggest`')
    const { stdout } = await gateway.cli(['tools', 'list', '--url', gateway.url, '--key', ada])
    expect(stdout).toContain('3 of 3 described by nobody: `turnward policy suggest`')
  })

  test('with contracts in place nothing is refused any more, and the switch is one word', async () => {
    const output = { trust: 'trusted' }
    const contracts = {
      'tracker__*': { output },
      tracker__send_mail: { output, effects: ['egress'], requires: { audience: { includes: ['$args.to'] } } },
    }
    await gateway.reload({ ...config, contracts })
    expect(await work('described')).toEqual(['done', 'done', 'done', 'done'])
    await gateway.recordThat((record) => record.subject === 'tracker__send_mail' && record.type === 'outcome' && record.verdict === 'allow')
    // Of this revision only: what was seen before the contracts were written is settled.
    const { code, json } = await report('readiness', '--offline')
    expect(code).toBe(0)
    expect(json).toMatchObject({ calls: 4, safe: true, wouldRefuse: [], undescribed: [], yaml: '' })
    expect((await report('readiness', '--offline', '--since', '1d')).json).toMatchObject({ calls: 8, safe: false })
    await gateway.reload({ ...config, contracts, policy: { posture: 'standard' } })
    expect(JSON.parse((await gateway.cli(['tools', 'list', '--url', gateway.url, '--key', ada, '--json'])).stdout)).toMatchObject({
      undescribed: [],
    })
    expect(await work('enforced')).toEqual(['done', 'done', 'done', 'done'])
    expect((await report('readiness', '--offline')).json).toMatchObject({ posture: 'standard', safe: true })
  })

  test('a span that is none is refused', async () => {
    expect(await gateway.cli(['policy', 'readiness', '--since', 'yesterday-ish'])).toMatchObject({
      code: 1,
      stderr: expect.stringContaining('--since'),
    })
  })
})
