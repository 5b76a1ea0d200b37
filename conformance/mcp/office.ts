/**
 * A gateway in front of the office fixture, with contracts that exercise every requirement: what the policy suites share.
 * Each test takes a client name of its own and with it a session of its own.
 */
import { mkdtemp, readFile, rm } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { startGateway, type RunningGateway } from '../harness/gateway-process.ts'
import type { Json } from '../harness/json.ts'
import { fixtureServer, serversReady } from './upstream-servers.ts'

/** Member of `hr`. */
export const ada = 'tw_conformance_ada_000000000001'
/** Member of nothing. */
export const bob = 'tw_conformance_bob_000000000002'

export interface Office extends AsyncDisposable {
  readonly gateway: RunningGateway
  /** Calls that really ran on the server, in order. */
  ran(): Promise<readonly { readonly tool: string; readonly args: Json }[]>
}

/** The configuration of a gateway in front of the office, whose server notes in `folder` what ran. */
export function officeConfig(folder: string, change: Json = {}): Json {
  return {
    groups: { hr: {} },
    principals: {
      ada: { groups: ['hr'], emails: ['ada@acme.example'] },
      carol: { groups: ['hr'], emails: ['carol@acme.example'] },
      bob: { emails: ['bob@acme.example'] },
    },
    keys: { ada: { principal: 'ada', actor: 'night-agent', secret: ada }, bob: { principal: 'bob', secret: bob } },
    grants: [{ principals: ['*'], gateways: ['main'], tools: ['office__*'], models: ['*'] }],
    servers: {
      office: { transport: 'stdio', command: ['node', fixtureServer('office.mjs'), folder], mounts: [{ path: folder, write: true }] },
    },
    gateways: { main: { servers: ['office'] } },
    contracts: {
      office__read_web: { output: { trust: 'untrusted' } },
      office__read_personnel: { output: { trust: 'trusted', audience: ['@hr'] } },
      office__read_news: { output: { trust: 'trusted' } },
      office__send: { effects: ['egress'], requires: { audience: { includes: ['$args.to'] } }, output: { trust: 'trusted' } },
      office__publish: { requires: { trust: 'trusted' }, output: { trust: 'trusted' } },
      office__backup: { effects: ['backup'], output: { trust: 'trusted' } },
      office__failing_backup: { effects: ['backup'], output: { trust: 'trusted' } },
      office__migrate: { effects: ['migration'], requires: { done: ['backup'], not_done: ['migration'] }, output: { trust: 'trusted' } },
      office__count: { output: { trust: 'trusted' } },
    },
    rules: [
      {
        name: 'small-numbers',
        when: "tool.name == 'office__count' && args.n > 5",
        verdict: 'deny',
        reason: 'Numbers above five are not counted.',
      },
      { name: 'watch-two', when: "tool.name == 'office__count' && args.n == 2", verdict: 'warn', reason: 'Two is watched.' },
      {
        name: 'bob-reads-no-news',
        when: "principal.id == 'bob' && tool.name == 'office__read_news'",
        verdict: 'deny',
        reason: 'No news for Bob.',
      },
    ],
    upstreams: { model: { kind: 'scripted', steps: proposals } },
    routes: [{ model: 'scripted', upstreams: ['model'] }],
    ...change,
  }
}

export async function startOffice(change: Json = {}): Promise<Office> {
  const folder = await makeOfficeFolder()
  const gateway = await startGateway({ config: officeConfig(folder, change) })
  await serversReady(gateway.url)
  return {
    gateway,
    ran: () => ranIn(folder),
    async [Symbol.asyncDispose]() {
      await gateway.stop()
      await rm(folder, { recursive: true, force: true })
    },
  }
}

export function makeOfficeFolder(): Promise<string> {
  return mkdtemp(join(tmpdir(), 'turnward-office-'))
}

/** Calls that really ran on servers that note it there, in order. */
export async function ranIn(folder: string): Promise<readonly { readonly tool: string; readonly args: Json }[]> {
  const lines = await readFile(join(folder, 'ran.jsonl'), 'utf8').catch(() => '')
  return lines.split('\n').flatMap((line) => (line === '' ? [] : [JSON.parse(line) as { tool: string; args: Json }]))
}

/** A model that proposes what the task says: `propose <tool>`. After one round of results it is done. */
const proposals = [
  ...['read_web', 'publish', 'read_news', 'backup'].map((tool) => ({
    when: { task: `^propose ${tool}( |$)`, step: 0 },
    text: 'As you wish.',
    calls: [{ tool: `office__${tool}` }],
  })),
  {
    when: { task: '^propose send', step: 0 },
    text: 'As you wish.',
    calls: [{ tool: 'office__send', args: { to: 'bob@acme.example', body: 'hello' } }],
  },
  { text: 'Done.' },
]

export interface Proposal {
  readonly session: string
  readonly turn: string
  /** Calls of the model's message, as the client got them. */
  readonly calls: readonly { readonly id: string; readonly name: string; readonly args: Json }[]
  /** The conversation including the model's message, to go on with. */
  readonly messages: readonly Json[]
}

/** One model call; the scripted model proposes what the task asks for. */
export async function propose(
  office: Pick<Office, 'gateway'>,
  key: string,
  task: string,
  messages: readonly Json[] = [{ role: 'user', content: task }],
  headers: Readonly<Record<string, string>> = {},
): Promise<Proposal> {
  const tools = ['read_web', 'publish', 'read_news', 'backup', 'send'].map((name) => ({
    type: 'function',
    function: { name: `office__${name}`, parameters: { type: 'object' } },
  }))
  const response = await fetch(`${office.gateway.url}/v1/chat/completions`, {
    method: 'POST',
    headers: { authorization: `Bearer ${key}`, 'content-type': 'application/json', ...headers },
    body: JSON.stringify({ model: 'scripted', messages, tools }),
  })
  const body = (await response.json()) as Json
  if (response.status !== 200) throw new Error(`model call: ${response.status} ${JSON.stringify(body)}`)
  const message = body['choices'][0].message as Json
  const calls = ((message['tool_calls'] ?? []) as Json[]).map((call) => ({
    id: String(call['id']),
    name: String(call['function'].name),
    args: JSON.parse(String(call['function'].arguments)) as Json,
  }))
  return {
    session: response.headers.get('x-turnward-session') ?? '',
    turn: response.headers.get('x-turnward-turn') ?? '',
    calls,
    messages: [...messages, message],
  }
}
