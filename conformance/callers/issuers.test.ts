/** People of a company call models and tools with the tokens of its identity provider: who is let in, as whom, and who is not. */
import { readFile, readdir } from 'node:fs/promises'
import { join } from 'node:path'
import { afterAll, beforeAll, describe, expect, test } from 'vitest'
import { startGoverned, withParts, type GovernedGateway } from '../harness/governed-gateway.ts'
import { startIdentityProvider, type IdentityProvider } from '../harness/identity-provider.ts'
import type { Json } from '../harness/json.ts'
import { until } from '../harness/until.ts'
import { startModern, type ModernUpstream } from '../mcp/upstream-servers.ts'
import { startForger, type Forger } from './forged-tokens.ts'

let idp: IdentityProvider
let forger: Forger
let tools: ModernUpstream
let governed: GovernedGateway
const shown: string[] = []

const issuerSettings = (issuer: string) => ({ issuer, allow_http: true, audiences: ['turnward'], user: 'email' })

beforeAll(async () => {
  idp = await startIdentityProvider()
  forger = await startForger()
  tools = await startModern()
  governed = await startGoverned((config) =>
    withParts({
      identity: {
        issuers: {
          acme: { ...issuerSettings(idp.issuer), algorithms: ['ES256'], provision: 'auto', claims: ['department'] },
          other: { ...issuerSettings(forger.issuer), algorithms: ['ES256', 'PS256'], jwks_uri: `${forger.issuer}/keys`, user: 'sub' },
        },
      },
      principals: { alice: { emails: ['alice@acme.example'], issuer: 'acme' } },
      keys: {},
      groups: { support: {} },
      grants: [
        { principals: ['alice'], models: ['*'], gateways: ['*'], tools: ['*'] },
        { groups: ['support'], models: ['gpt-test'] },
      ],
      servers: { modern: { transport: 'http', url: tools.url } },
      gateways: { main: { servers: ['modern'] } },
    })(config),
  )
  governed.answer({ text: 'Hello.' })
})
afterAll(async () => {
  await governed?.close()
  await tools?.[Symbol.asyncDispose]()
  await forger?.[Symbol.asyncDispose]()
  await idp?.[Symbol.asyncDispose]()
})

async function post(
  path: string,
  token: string,
  body: object,
  headers: Record<string, string> = {},
): Promise<{ readonly status: number; readonly text: string }> {
  shown.push(token)
  const response = await fetch(`${governed.url}${path}`, {
    method: 'POST',
    headers: { 'content-type': 'application/json', authorization: `Bearer ${token}`, ...headers },
    body: JSON.stringify(body),
  })
  return { status: response.status, text: await response.text() }
}

const ask = (token: string, model = 'gpt-test') =>
  post('/v1/chat/completions', token, { model, messages: [{ role: 'user', content: 'hi' }] })
const greet = (token: string) =>
  post(
    '/mcp/main',
    token,
    {
      jsonrpc: '2.0',
      id: 1,
      method: 'tools/call',
      params: {
        name: 'modern__greet',
        arguments: { name: 'Alice' },
        _meta: {
          'io.modelcontextprotocol/protocolVersion': '2026-07-28',
          'io.modelcontextprotocol/clientInfo': { name: 'test', version: '1' },
          'io.modelcontextprotocol/clientCapabilities': {},
        },
      },
    },
    {
      accept: 'application/json, text/event-stream',
      'mcp-protocol-version': '2026-07-28',
      'mcp-method': 'tools/call',
      'mcp-name': 'modern__greet',
    },
  )

const codeIn = (text: string): string => /auth\.[a-z_]+/.exec(text)?.[0] ?? text
const toPerson = (claims: object = {}, header: object = {}) =>
  idp.sign({ claims: { sub: 'alice', email: 'alice@acme.example', client_id: 'app', ...claims }, header: { ...header } })

describe('a person with the access token of the provider', () => {
  test('calls models and tools as themselves, and the log says who, by whose word, and through what', async () => {
    const token = await idp.accessToken('alice')
    expect((await ask(token)).status).toBe(200)
    const called = await greet(token)
    expect(called.text).toContain('hello Alice')
    const model = await governed.gateway.recordThat((one: Json) => one['kind'] === 'model_call' && one['issuer'] === 'acme')
    expect(model).toMatchObject({ principal: 'alice', issuer: 'acme', consumer: 'app', actor: null })
    expect(await governed.gateway.recordThat((one: Json) => one['kind'] === 'tool_call' && one['principal'] === 'alice')).toMatchObject({
      issuer: 'acme',
      consumer: 'app',
    })
  })

  test('is another person with their own grants, known by the token alone', async () => {
    const token = await idp.accessToken('bob')
    expect((await ask(token)).status).toBe(200)
    expect((await ask(token, 'claude-test')).text).toContain('grant.model')
    expect((await greet(token)).text).not.toContain('hello')
    expect(await governed.gateway.recordThat((one: Json) => one['principal'] === 'bob@acme.example')).toMatchObject({ issuer: 'acme' })
  })

  test('can be called for by agents, the nearest of which is named first', async () => {
    const token = await toPerson({ act: { sub: 'planner', act: { sub: 'browser' } } })
    expect((await ask(token)).status).toBe(200)
    expect(await governed.gateway.recordThat((one: Json) => one['actor'] === 'planner')).toMatchObject({
      principal: 'alice',
      actors: ['planner', 'browser'],
    })
  })
})

describe('refused in words of its own is', () => {
  test.each<[string, () => Promise<string>, string]>([
    ['an ID token', () => idp.idToken('alice'), 'auth.wrong_kind_of_token'],
    ['a token for another audience', () => toPerson({ aud: 'crm' }), 'auth.wrong_audience'],
    ['a token of an application alone', () => idp.sign({ claims: { sub: 'agent', client_id: 'agent' } }), 'auth.person_needed'],
    ['an expired token', () => toPerson({ exp: Math.floor(Date.now() / 1000) - 100 }), 'auth.expired_token'],
    ['a token that is not valid yet', () => toPerson({ nbf: Math.floor(Date.now() / 1000) + 600 }), 'auth.token_not_yet_valid'],
    ['an address that nobody has verified', () => toPerson({ email_verified: false }), 'auth.incomplete_token'],
    ['a person with too many groups', () => toPerson({ _claim_names: { groups: 'src1' } }), 'auth.too_many_groups'],
    ['a person whom this issuer does not speak for', async () => forger.good(), 'auth.other_issuer'],
  ])('%s', async (_what, make, code) => {
    const token = await make()
    expect(codeIn((await ask(token)).text)).toBe(code)
    expect(codeIn((await greet(token)).text)).toBe(code)
  })
})

test('no forged token gets through either entrance, and each is refused with 401', async () => {
  const before = [governed.vendors.openai.requests.length, tools.calls.started]
  const answers = await Promise.all(
    Object.entries(forger.forged()).map(async ([what, token]) => [what, (await ask(token)).status, (await greet(token)).status]),
  )
  expect(answers.length).toBeGreaterThan(30)
  for (const answer of answers) expect(answer).toEqual([answer[0], 401, 401])
  expect([governed.vendors.openai.requests.length, tools.calls.started]).toEqual(before)
})

describe('when the provider changes,', () => {
  test('new keys are found without losing a call that is under way', async () => {
    const old = await idp.accessToken('alice')
    await ask(old)
    await idp.rotate()
    const fresh = await Promise.all(Array.from({ length: 20 }, () => idp.accessToken('alice')))
    const statuses = await Promise.all([...fresh, ...fresh.map(() => old)].map(async (token) => (await ask(token)).status))
    expect(new Set(statuses)).toEqual(new Set([200]))
  })

  test('and is away, its last keys are used, and everybody who looks is told', async () => {
    await idp.goAway()
    const token = await toPerson()
    expect((await ask(token)).status).toBe(200)
    const other = await startGoverned((config) =>
      withParts({
        identity: { issuers: { acme: { ...issuerSettings(idp.issuer), algorithms: ['ES256'] } } },
        keys: {},
        principals: { alice: {} },
        grants: [],
      })(config),
    )
    try {
      const { issuers } = await until('the issuer in /readyz', async () => {
        const ready = (await (await fetch(`${other.url}/readyz`)).json()) as Json
        return ready['issuers'] === undefined ? undefined : ready
      })
      expect(issuers['acme']).toContain('ECONNREFUSED')
      expect(await (await fetch(`${other.url}/metrics`)).text()).toMatch(/turnward_issuer_keys_total\{[^}]*event="failed"[^}]*\} [1-9]/)
      const { stdout } = await other.gateway.cli(['doctor', '--json'])
      expect(stdout).toMatch(/issuer acme[\s\S]*ECONNREFUSED/)
      expect((await other.gateway.cli(['check', '--online'])).stdout).toContain(
        'issuer acme: its metadata cannot be asked for: ECONNREFUSED',
      )
      const refused = await fetch(`${other.url}/v1/models`, { headers: { authorization: `Bearer ${token}` } })
      expect([refused.status, codeIn(await refused.text())]).toEqual([503, 'auth.issuer_unavailable'])
    } finally {
      await other.close()
      await idp.comeBack()
    }
  })
})

test('no token is in a log, a decision, an answer or a file', async () => {
  const folder = governed.gateway.dataDir
  const names = (await readdir(folder, { recursive: true, withFileTypes: true })).filter((entry) => entry.isFile())
  const files = await Promise.all(names.map(({ parentPath, name }) => readFile(join(parentPath, name))))
  const records = JSON.stringify(await governed.gateway.turnRecords())
  const logs = governed.gateway.logs()
  expect(shown.length).toBeGreaterThan(50)
  for (const token of shown) {
    const canary = token.split('.').reduce((longest, part) => (part.length > longest.length ? part : longest), '')
    if (canary.length < 40) continue
    expect(logs.includes(canary) || records.includes(canary) || files.some((file) => file.includes(canary))).toBe(false)
  }
})
