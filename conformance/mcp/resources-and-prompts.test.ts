/** Resources, templates, prompts and completions of real servers through one endpoint, with the MCP project's own client in every mode. */
import { afterAll, beforeAll, describe, expect, test } from 'vitest'
import { startGateway, type RunningGateway } from '../harness/gateway-process.ts'
import { readRecords } from '../harness/records.ts'
import { ada, bob, startMixedFleet, type MixedFleet } from './mixed-fleet.ts'
import { connectClient, modes, textOf } from './official-client.ts'
import { installed, serversReady } from './upstream-servers.ts'

const document = 'demo://resource/static/document/features.md'
const dynamic = 'demo://resource/dynamic/text/{resourceId}'
const ofServer = (server: string, uri: string): string => `turnward://${server}/${uri}`

let fleet: MixedFleet
let gateway: RunningGateway

beforeAll(async () => {
  fleet = await startMixedFleet()
  gateway = fleet.gateway
})
afterAll(() => fleet?.[Symbol.asyncDispose]())

describe.each(modes)('the official client in %s mode', (_name, mode) => {
  test('sees the resources of every server; the same URI of two servers says whose it is', async () => {
    const client = await connectClient(gateway.url, ada, { mode })
    expect(client.getServerCapabilities()).toMatchObject({ resources: {}, prompts: {}, completions: {} })
    const { resources } = await client.listResources()
    const uris = resources.map(({ uri }) => uri)
    expect(uris).toEqual(expect.arrayContaining([ofServer('every', document), ofServer('everyhttp', document)]))
    expect(uris).toEqual(uris.toSorted())
    expect(resources.find(({ uri }) => uri === ofServer('every', document))).toMatchObject({ mimeType: 'text/markdown' })
    await client.close()
  })

  test.each(['every', 'everyhttp'])('reads what %s lists, under the URI it was shown by', async (server) => {
    const client = await connectClient(gateway.url, ada, { mode })
    const uri = ofServer(server, document)
    const { contents } = await client.readResource({ uri })
    expect(contents).toEqual([
      expect.objectContaining({ uri, mimeType: 'text/markdown', text: expect.stringContaining('# Everything Server') }),
    ])
    await client.close()
  })

  test('reads what a template makes', async () => {
    const client = await connectClient(gateway.url, ada, { mode })
    const { resourceTemplates } = await client.listResourceTemplates()
    const template = resourceTemplates.find(({ uriTemplate }) => uriTemplate === ofServer('every', dynamic))
    const uri = template?.uriTemplate.replace('{resourceId}', '7') ?? ''
    const { contents } = await client.readResource({ uri })
    expect(contents).toEqual([expect.objectContaining({ uri, text: expect.stringMatching(/^Resource 7: /) })])
    await client.close()
  })

  test.each(['demo://resource/static/nothing.md', 'file:///etc/passwd', 'turnward://nowhere/file:///etc/passwd', document])(
    'a resource that means nobody is told as one that is not there: %s',
    async (uri) => {
      const client = await connectClient(gateway.url, ada, { mode })
      await expect(client.readResource({ uri })).rejects.toMatchObject({ code: -32602 })
      await client.close()
    },
  )

  test('sees prompts as `server__prompt`, and gets one with its arguments', async () => {
    const client = await connectClient(gateway.url, ada, { mode })
    const { prompts } = await client.listPrompts()
    expect(prompts.map(({ name }) => name)).toEqual(expect.arrayContaining(['every__args-prompt', 'everyhttp__args-prompt']))
    const got = await client.getPrompt({ name: 'every__args-prompt', arguments: { city: 'Zürich' } })
    expect(got.messages).toEqual([{ role: 'user', content: { type: 'text', text: expect.stringContaining('Zürich') } }])
    await expect(client.getPrompt({ name: 'every__nothing' })).rejects.toMatchObject({ code: -32602 })
    await client.close()
  })

  test('completes arguments of prompts and of templates', async () => {
    const client = await connectClient(gateway.url, ada, { mode })
    const department = await client.complete({
      ref: { type: 'ref/prompt', name: 'every__completable-prompt' },
      argument: { name: 'department', value: 'E' },
    })
    expect(department.completion.values).toContain('Engineering')
    const member = await client.complete({
      ref: { type: 'ref/prompt', name: 'every__completable-prompt' },
      argument: { name: 'name', value: '' },
      context: { arguments: { department: 'Engineering' } },
    })
    expect(member.completion.values.length).toBeGreaterThan(0)
    await client.complete({ ref: { type: 'ref/resource', uri: ofServer('every', dynamic) }, argument: { name: 'resourceId', value: '1' } })
    await client.close()
  })

  test('who is granted single tools reads nothing', async () => {
    const client = await connectClient(gateway.url, bob, { mode })
    expect((await client.listResources()).resources).toEqual([])
    expect((await client.listPrompts()).prompts).toEqual([])
    for (const read of [
      () => client.readResource({ uri: ofServer('every', document) }),
      () => client.getPrompt({ name: 'every__simple-prompt' }),
      () =>
        client.complete({ ref: { type: 'ref/prompt', name: 'every__completable-prompt' }, argument: { name: 'department', value: '' } }),
    ])
      await expect(read()).rejects.toMatchObject({ code: -32602 })
    await client.close()
  })
})

test('every read is on record, with what it was and what came of it', async () => {
  const client = await connectClient(gateway.url, ada)
  await client.readResource({ uri: ofServer('every', document) })
  await client.getPrompt({ name: 'every__simple-prompt' })
  await client.close()
  const records = await readRecords(gateway.cli)
  for (const [kind, subject] of [
    ['resource_read', `resource:every/${document}`],
    ['prompt_get', 'prompt:every/simple-prompt'],
  ]) {
    const own = records.filter((record) => record.kind === kind && record.subject === subject)
    expect(own.map(({ type }) => type)).toEqual(expect.arrayContaining(['decision', 'outcome']))
    expect(own.at(-1)).toMatchObject({ type: 'outcome', outcome: 'ok', principal: 'ada', upstream: 'every' })
  }
  expect(records).toContainEqual(expect.objectContaining({ kind: 'resource_read', principal: 'bob', verdict: 'deny', session: null }))
})

describe('a read under a contract', () => {
  let own: RunningGateway
  const uri = 'demo://resource/dynamic/text/1'

  beforeAll(async () => {
    own = await startGateway({
      config: {
        principals: { ada: {} },
        keys: { ada: { principal: 'ada', secret: ada } },
        grants: [
          { principals: ['ada'], gateways: ['main'], tools: ['every__echo', 'resource:every/demo://resource/dynamic/*', 'prompt:every/*'] },
        ],
        servers: { every: { transport: 'stdio', command: ['node', installed('@modelcontextprotocol/server-everything/dist/index.js')] } },
        gateways: { main: { servers: ['every'] } },
        contracts: {
          '*': { output: { trust: 'trusted' } },
          every__echo: { requires: { trust: 'trusted' }, output: { trust: 'trusted' } },
          'resource:every/*': { output: { trust: 'untrusted' } },
          'prompt:every/args-prompt': { requires: { trust: 'trusted' } },
        },
        rules: [
          {
            name: 'no-names',
            when: "tool.name == 'prompt:every/args-prompt' && args.city == 'Atlantis'",
            verdict: 'deny',
            reason: 'No such city.',
          },
        ],
      },
    })
    await serversReady(own.url)
  })
  afterAll(() => own?.stop())

  test('narrows what may be called afterwards, and what may be read', async () => {
    const client = await connectClient(own.url, ada, { headers: { 'x-turnward-session': 'reads' } })
    expect((await client.listPrompts()).prompts.map(({ name }) => name)).toContain('every__args-prompt')
    const echo = () => client.callTool({ name: 'every__echo', arguments: { message: 'hi' } })
    expect((await echo()).isError).toBeFalsy()
    expect((await client.readResource({ uri })).contents).toHaveLength(1)
    expect(textOf(await echo())).toMatch(/^not run: /)
    // The first one may believe its list for a while.
    const another = await connectClient(own.url, ada, { headers: { 'x-turnward-session': 'reads' } })
    expect((await another.listPrompts()).prompts.map(({ name }) => name)).not.toContain('every__args-prompt')
    await another.close()
    await expect(client.getPrompt({ name: 'every__args-prompt', arguments: { city: 'Bern' } })).rejects.toMatchObject({
      data: { code: 'mcp.not_allowed' },
    })
    await client.close()
    const records = await readRecords(own.cli)
    const read = records.find(({ kind, type }) => kind === 'resource_read' && type === 'outcome')
    expect(read).toMatchObject({ labelBefore: { trust: 'trusted' }, labelAfter: { trust: 'untrusted' } })
    expect(records.findLast(({ kind }) => kind === 'prompt_get')).toMatchObject({ type: 'outcome', outcome: 'refused', action: 'refuse' })
  })

  test('is decided on by rules that look at its arguments', async () => {
    const client = await connectClient(own.url, ada, { headers: { 'x-turnward-session': 'rules' } })
    const ask = (city: string) => client.getPrompt({ name: 'every__args-prompt', arguments: { city } })
    expect((await ask('Bern')).messages).toHaveLength(1)
    await expect(ask('Atlantis')).rejects.toThrow(/No such city/)
    await client.close()
  })

  test('is of what is granted only', async () => {
    const client = await connectClient(own.url, ada, { headers: { 'x-turnward-session': 'grants' } })
    expect((await client.listResources()).resources).toEqual([])
    expect((await client.listResourceTemplates()).resourceTemplates.map(({ uriTemplate }) => uriTemplate)).toEqual([
      'demo://resource/dynamic/blob/{resourceId}',
      'demo://resource/dynamic/text/{resourceId}',
    ])
    await expect(client.readResource({ uri: document })).rejects.toMatchObject({ code: -32602 })
    await client.close()
  })
})
