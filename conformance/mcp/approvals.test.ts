/**
 * Calls that wait for a person, at a running gateway: asked at the client of whoever may approve their own, on the command line, on
 * a page, and told by a signed webhook. The MCP project's own client.
 */
import { createHmac } from 'node:crypto'
import { createServer, type IncomingHttpHeaders, type Server } from 'node:http'
import type { AddressInfo } from 'node:net'
import type { Client } from '@modelcontextprotocol/client'
import { afterAll, beforeAll, describe, expect, test } from 'vitest'
import { freePort } from '../../scripts/services/free-port.ts'
import { startGateway, type RunningGateway } from '../harness/gateway-process.ts'
import type { Json } from '../harness/json.ts'
import { newAccount } from '../harness/local-account.ts'
import { ScriptedBrowser } from '../harness/scripted-browser.ts'
import { until } from '../harness/until.ts'
import { connectClient, modes, textOf } from './official-client.ts'
import { serversReady, startModern, type ModernUpstream } from './upstream-servers.ts'

const keys = { ada: 'tw_approvals_ada_00000000000001', bob: 'tw_approvals_bob_00000000000002', boss: 'tw_approvals_boss_0000000000003' }
const webhookSecret = 'a secret of the webhook with 32 characters'

let gateway: RunningGateway
let modern: ModernUpstream
let hook: Hook

beforeAll(async () => {
  modern = await startModern()
  hook = await startHook()
  gateway = await startGateway({
    config: {
      listen: { port: await freePort() },
      principals: { ada: {}, bob: {}, boss: { groups: ['finance'] }, carol: { groups: ['finance'] } },
      groups: { finance: {} },
      identity: { sign_in: { local: true } },
      keys: {
        ada: { principal: 'ada', secret: keys.ada },
        bob: { principal: 'bob', secret: keys.bob },
        boss: { principal: 'boss', secret: keys.boss, scopes: ['admin'] },
      },
      grants: [{ principals: ['ada', 'bob'], gateways: ['main'], tools: ['*'] }],
      servers: { modern: { transport: 'http', url: modern.url } },
      gateways: { main: { servers: ['modern'] } },
      contracts: {
        modern__greet: {
          output: { trust: 'trusted' },
          requires: { approval: { when: "principal.id == 'ada'", from: ['ada'], self: true } },
        },
        modern__deploy: { output: { trust: 'trusted' }, requires: { approval: { from: ['ada', 'finance'], self: true } } },
      },
      rules: [
        { name: 'watch', when: "principal.id == 'bob'", verdict: 'escalate', reason: 'Finance watches what Bob does.', from: ['finance'] },
      ],
      approvals: { hold_ms: 1, webhook: { url: `${hook.url}/hook`, secret: webhookSecret } },
    },
  })
  await serversReady(gateway.url)
})
afterAll(async () => {
  await gateway?.stop()
  hook?.server.close()
  await modern?.[Symbol.asyncDispose]()
})

interface Hook {
  readonly server: Server
  readonly url: string
  readonly told: { readonly headers: IncomingHttpHeaders; readonly text: string }[]
}

/** Refuses the first message, so that it is told again. */
async function startHook(): Promise<Hook> {
  const told: Hook['told'] = []
  const server = createServer((request, response) => {
    let text = ''
    request.on('data', (part) => (text += String(part)))
    request.on('end', () => {
      told.push({ headers: request.headers, text })
      response.writeHead(told.length === 1 ? 503 : 204).end()
    })
  })
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve))
  return { server, url: `http://127.0.0.1:${(server.address() as AddressInfo).port}`, told }
}

interface Person {
  readonly asked: string[]
  prepare(client: Client): void
}

function person(answer: { readonly action: 'accept' | 'decline' | 'cancel'; readonly content?: Record<string, boolean> }): Person {
  const asked: string[] = []
  return {
    asked,
    prepare: (client) =>
      client.setRequestHandler('elicitation/create', async ({ params }) => {
        asked.push((params as { message: string }).message)
        return answer
      }),
  }
}

const offersForms = { capabilities: { elicitation: { form: {} } } }
const session = (name: string) => ({ headers: { 'x-turnward-session': name } })

const approvals = async (...args: readonly string[]): Promise<Json> => {
  const { stdout, stderr } = await gateway.cli(['approvals', ...args, '--url', gateway.url, '--key', keys.boss, '--json'])
  expect(stderr).toBe('')
  return JSON.parse(stdout) as Json
}

describe.each(modes)('who may approve their own calls is asked at the official client in %s mode', (name, mode) => {
  test('and the call runs with exactly what was shown', async () => {
    const { asked, prepare } = person({ action: 'accept', content: { approve: true } })
    const client = await connectClient(gateway.url, keys.ada, { mode, ...offersForms, ...session(`yes-${name}`), prepare })
    expect(textOf(await client.callTool({ name: 'modern__greet', arguments: { name: 'A\u200Bda' } }))).toBe('hello A\u200Bda')
    expect(asked).toHaveLength(1)
    expect(asked[0]).toContain('"name": "A⟨U+200B⟩da"')
    // Once: the same call is asked about again.
    await client.callTool({ name: 'modern__greet', arguments: { name: 'A\u200Bda' } })
    expect(asked).toHaveLength(2)
    await client.close()
  })

  test('and what the server then asks is asked as well', async () => {
    const { asked, prepare } = person({ action: 'accept', content: { approve: true, confirm: true } })
    const client = await connectClient(gateway.url, keys.ada, { mode, ...offersForms, ...session(`deploy-${name}`), prepare })
    expect(textOf(await client.callTool({ name: 'modern__deploy', arguments: { env: 'production' } }))).toContain('deployed to production')
    expect(asked.map((message) => message.split(' ')[0])).toEqual(['modern__deploy', 'Deploy'])
    await client.close()
  })

  test.each([
    ['declines', { action: 'decline' }],
    ['says no', { action: 'accept', content: { approve: false } }],
  ] as const)('and it does not run when the person %s', async (how, answer) => {
    const { asked, prepare } = person(answer)
    const client = await connectClient(gateway.url, keys.ada, {
      mode,
      ...offersForms,
      ...session(`${how.replaceAll(' ', '-')}-${name}`),
      prepare,
    })
    const result = await client.callTool({ name: 'modern__greet', arguments: { name: 'Ada' } })
    expect([asked.length, result.isError, textOf(result)]).toEqual([1, true, expect.stringMatching(/person refused this call/)])
    await client.close()
  })
})

test('who may not approve their own is not asked; somebody else approves on the command line, and the same call runs', async () => {
  const { asked, prepare } = person({ action: 'accept', content: { approve: true } })
  const client = await connectClient(gateway.url, keys.bob, { ...offersForms, ...session('bob'), prepare })
  const waits = await client.callTool({ name: 'modern__greet', arguments: { name: 'Bob' } })
  const [, id = ''] = /waiting for approval (ap_\w+)/.exec(textOf(waits)) ?? []
  expect([waits.isError, asked]).toEqual([true, []])
  expect((await approvals('list'))['approvals']).toContainEqual(expect.objectContaining({ id, tool: 'modern__greet', may_rule: true }))
  expect(await approvals('show', id)).toMatchObject({ arguments: { name: 'Bob' }, reason: 'Finance watches what Bob does.' })
  expect(await approvals('approve', id, '--reason', 'fine')).toMatchObject({
    status: 'approved',
    rulings: [{ by: 'boss', reason: 'fine' }],
  })
  expect(textOf(await client.callTool({ name: 'modern__greet', arguments: { name: 'Bob' } }))).toBe('hello Bob')
  expect(await approvals('show', id)).toMatchObject({ status: 'used' })
  const again = await gateway.cli(['approvals', 'deny', id, '--url', gateway.url, '--key', keys.boss, '--json'])
  expect([again.code, again.stderr]).toEqual([1, expect.stringContaining('approval.over')])
  // A key that is for calling tools rules on nothing.
  const agents = await gateway.cli(['approvals', 'list', '--url', gateway.url, '--key', keys.bob, '--json'])
  expect([agents.code, agents.stderr]).toEqual([1, expect.stringContaining('auth.')])
  await client.close()
})

test('it is told by a signed webhook, again when that failed, and ruled on at the page it names by an approver who has signed in', async () => {
  const client = await connectClient(gateway.url, keys.bob, session('page'))
  const waits = textOf(await client.callTool({ name: 'modern__greet', arguments: { name: 'раypal.com' } }))
  const [, id = ''] = /waiting for approval (ap_\w+)/.exec(waits) ?? []
  await until('the webhook to be told', async () => hook.told.filter(({ headers }) => headers['webhook-id'] === id).length > 0)
  const [{ headers, text }] = hook.told.filter((one) => one.headers['webhook-id'] === id) as [Hook['told'][number]]
  const [, time = '', signature = ''] = /^t=(\d+),v1=([0-9a-f]{64})$/.exec(String(headers['turnward-signature'])) ?? []
  expect(signature).toBe(createHmac('sha256', webhookSecret).update(`${time}.${text}`).digest('hex'))
  const message = JSON.parse(text) as { link: string; id: string }
  expect(message).toMatchObject({ type: 'approval.asked', id, tool: 'modern__greet', principal: 'bob' })
  expect(text).not.toContain('paypal')
  expect(waits).toContain(message.link)
  const first = hook.told[0]
  await until('what failed to be told again', async () => hook.told.filter((one) => one.text === first?.text).length > 1)

  const nobody = new ScriptedBrowser()
  expect((await nobody.open(message.link)).url).toContain('/sign-in')
  const stranger = await newAccount(gateway, 'stranger', 'a password nobody guesses 1')
  expect(await stranger.browser.open(message.link)).toMatchObject({ status: 404, text: expect.not.stringContaining('modern__greet') })
  const { browser } = await newAccount(gateway, 'carol', 'a password nobody guesses 2')
  expect((await browser.open(message.link.replace(/.$/, (last) => (last === 'x' ? 'y' : 'x')))).status).toBe(404)
  const page = await browser.open(message.link)
  expect(page.text).toMatch(/mixes Latin and Cyrillic letters/)
  expect(await browser.send('Approve this one call', { ruling: 'approve', reason: 'known' })).toMatchObject({
    status: 200,
    text: expect.stringContaining('Your ruling is on record: approved'),
  })
  expect(textOf(await client.callTool({ name: 'modern__greet', arguments: { name: 'раypal.com' } }))).toBe('hello раypal.com')
  const ruled = await gateway.recordThat(
    (record) => (record as Json)['kind'] === 'approval' && record.verdict === 'allow' && JSON.stringify(record).includes(id),
  )
  expect(ruled).toMatchObject({ principal: 'bob', approval: { id, event: 'approved', by: 'carol', via: 'page' } })
  await client.close()
})
