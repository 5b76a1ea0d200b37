/** What the decision log of a gateway has is decided again under a draft, by the verb and over HTTP, and a draft that is the present policy changes nothing. */
import { writeFile } from 'node:fs/promises'
import { join } from 'node:path'
import { afterAll, beforeAll, describe, expect, test } from 'vitest'
import { startGateway, type RunningGateway } from '../harness/gateway-process.ts'
import type { Json } from '../harness/json.ts'
import { ada, bob } from '../mcp/office.ts'
import { connectClient } from '../mcp/official-client.ts'
import { serversReady, startRaw, type RawUpstream } from '../mcp/upstream-servers.ts'

const input = { type: 'object', properties: { to: { type: 'string' } } }
const tools: Json[] = [
  { name: 'read', annotations: { readOnlyHint: true }, inputSchema: input },
  { name: 'post', inputSchema: input },
  { name: 'pay', inputSchema: input },
  { name: 'mystery', inputSchema: input },
]
const contracts = {
  desk__read: { output: { trust: 'untrusted' } },
  desk__post: { output: { trust: 'trusted' }, requires: { trust: 'trusted' } },
  desk__pay: { output: { trust: 'trusted' }, args: { to: 'destination' } },
}

let upstream: RawUpstream
let gateway: RunningGateway
beforeAll(async () => {
  upstream = await startRaw(tools, { content: [{ type: 'text', text: 'done' }] })
  gateway = await startGateway({
    config: {
      principals: { ada: { emails: ['ada@acme.example'] }, bob: { emails: ['bob@acme.example'] } },
      identity: { roles: { admin: { people: ['ada'] }, operator: { people: ['bob'] } } },
      keys: {
        ada: { principal: 'ada', secret: ada, scopes: ['mcp', 'admin'] },
        bob: { principal: 'bob', secret: bob, scopes: ['mcp', 'admin'] },
      },
      grants: [{ principals: ['*'], gateways: ['main'], tools: ['*'] }],
      servers: { desk: { transport: 'http', url: upstream.url } },
      gateways: { main: { servers: ['desk'] } },
      contracts,
    },
  })
  await serversReady(gateway.url)
  const client = await connectClient(gateway.url, ada, { name: 'agent', mode: 'legacy' })
  for (const name of ['post', 'read', 'post', 'pay', 'mystery'])
    await client.callTool({ name: `desk__${name}`, arguments: { to: 'acct-1' } })
  await client.close()
  await gateway.recordThat((record) => record.subject === 'desk__mystery' && record.type === 'outcome')
})
afterAll(async () => {
  await gateway?.stop()
  await upstream?.[Symbol.asyncDispose]()
})

/** A draft that says these contracts otherwise. */
const draftOf = (parts: Readonly<Record<string, object>>): string =>
  JSON.stringify({
    include: ['turnward.yaml'],
    contracts: Object.fromEntries(Object.entries(parts).map(([name, contract]) => [name, { ...contract, override: true }])),
  })

async function replay(draft: string, ...args: readonly string[]): Promise<{ readonly code: number; readonly json: Json }> {
  await writeFile(join(gateway.dir, 'draft.yaml'), draft)
  const { code, stdout, stderr } = await gateway.cli(['policy', 'replay', '--with', 'draft.yaml', '--json', ...args])
  if (stdout === '') throw new Error(stderr)
  return { code, json: JSON.parse(stdout) as Json }
}

const ask = (key: string, body: object) =>
  fetch(`${gateway.url}/api/policy/replay`, {
    method: 'POST',
    headers: { authorization: `Bearer ${key}`, 'content-type': 'application/json' },
    body: JSON.stringify(body),
  })

describe('`policy replay`', () => {
  test('under the present policy nothing changes', async () => {
    const { code, json } = await replay(draftOf({}))
    expect(code).toBe(0)
    expect(json).toMatchObject({ decisions: 5, same: 5, changed: 0, notKnown: 0, otherReasons: 0, otherRevisions: 0, truncated: false })
    const again = await replay(draftOf(contracts))
    expect(again.json).toMatchObject({ same: 5, changed: 0, notKnown: 0 })
  })

  test('a loosened result lets later calls go, by tool and person and with the line', async () => {
    const { code, json } = await replay(draftOf({ desk__read: { output: { trust: 'trusted' } } }))
    expect(code).toBe(5)
    // Nothing but a trusted page was read then, and of a trusted session no value is traced.
    expect(json['changes']).toMatchObject([
      { tool: 'desk__mystery', principal: 'ada', was: 'refuse', becomes: 'release', decidedBy: ['contracts (undescribed)'], count: 1 },
      { tool: 'desk__pay', was: 'refuse', becomes: 'release', decidedBy: ['contract desk__pay (provenance)'] },
      { tool: 'desk__post', was: 'refuse', becomes: 'release', decidedBy: ['contract desk__post (trust)'], count: 1 },
    ])
    const { stdout } = await gateway.cli(['policy', 'replay', '--with', 'draft.yaml'])
    expect(stdout).toMatch(/desk__post +ada +refuse -> release +1 +contract desk__post \(trust\) +turn_/)
  })

  test('what only arguments can tell is not known, and what is known of the others is told', async () => {
    const { json } = await replay(
      draftOf({ desk__post: { requires: { audience: { includes: ['$args.to'] } } }, desk__mystery: { output: { trust: 'trusted' } } }),
    )
    expect(json).toMatchObject({ changed: 1, changes: [{ tool: 'desk__mystery', was: 'refuse', becomes: 'release' }] })
    expect(json['notKnown']).toBe(2)
    for (const line of json['unknown'] as Json[])
      expect(line).toMatchObject({
        tool: 'desk__post',
        asks: [{ source: 'contract desk__post', needs: expect.stringContaining('digest') }],
      })
  })

  test('a span without records has nothing to tell, and a draft that is wrong is told at its line', async () => {
    expect((await replay(draftOf({}), '--since', '2100-01-01')).json).toMatchObject({ decisions: 0, from: null })
    await writeFile(join(gateway.dir, 'wrong.yaml'), 'include: [turnward.yaml]\ncontracts:\n  a: { requires: { trust: golden } }\n')
    const { code, stderr } = await gateway.cli(['policy', 'replay', '--with', 'wrong.yaml'])
    expect([code, stderr]).toEqual([3, expect.stringContaining('wrong.yaml:3')])
  })
})

describe('`POST /api/policy/replay`', () => {
  test('tells an administrator the same', async () => {
    const response = await ask(ada, { since: '1h', draft: draftOf({ desk__read: { output: { trust: 'trusted' } } }) })
    expect(response.status).toBe(200)
    expect(await response.json()).toMatchObject({ decisions: 5, changed: 3, notKnown: 0 })
  })

  test('of one turn or session alone', async () => {
    const loose = draftOf({ desk__read: { output: { trust: 'trusted' } } })
    const all = (await (await ask(ada, { draft: loose })).json()) as Json
    const turn = (all['changes'] as { readonly tool: string; readonly turns: readonly string[] }[]).find(({ tool }) => tool === 'desk__pay')
      ?.turns[0]
    const { session } = (await (
      await fetch(`${gateway.url}/api/turns/${turn}`, { headers: { authorization: `Bearer ${ada}` } })
    ).json()) as Json
    expect(await (await ask(ada, { turn, draft: loose })).json()).toMatchObject({ decisions: 1, changed: expect.any(Number) })
    expect(await (await ask(ada, { session, draft: loose })).json()).toMatchObject({ decisions: 5, changed: 3 })
    expect(await (await ask(ada, { session: 'ses_none', draft: loose })).json()).toMatchObject({ decisions: 0, from: null })
  })

  test('and nobody else', async () => {
    expect((await ask(bob, { draft: draftOf({}) })).status).toBe(403)
    expect((await ask('tw_nobody_at_all_0000000000000', { draft: draftOf({}) })).status).toBe(401)
  })

  test.each([
    ['a variable', { draft: 'include: [turnward.yaml]\nvalues: { a: ["${HOME}"] }' }, '${'],
    ['a file that is not of the configuration', { draft: 'include: [/etc/passwd]' }, 'includes files of the configuration only'],
    ['a server', { draft: 'include: [turnward.yaml]\nservers: {}' }, 'servers'],
    ['what is no configuration', { draft: 'a: [' }, 'draft'],
    ['a mistake', { draft: 'include: [turnward.yaml]\ncontracts:\n  a: { requires: { trust: golden } }' }, 'line 3: '],
    ['something else', { draft: '{}', more: 1 }, 'more'],
  ])('a draft with %s is refused with why', async (_what, body, said) => {
    const response = await ask(ada, body)
    expect(response.status).toBe(400)
    expect(JSON.stringify(await response.json())).toContain(said)
  })
})
