/** A value that would not be used as it is written is refused, at its place. */
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterEach, beforeEach, describe, expect, it } from 'vitest'
import { attemptLoad } from './load.ts'
import { ConfigError } from './problems.ts'

let folder = ''
beforeEach(() => {
  folder = mkdtempSync(join(tmpdir(), 'turnward-written-'))
})
afterEach(() => rmSync(folder, { recursive: true }))

async function problemsOf(yaml: string, env: Record<string, string> = {}): Promise<string | undefined> {
  const path = join(folder, 'turnward.yaml')
  writeFileSync(path, yaml)
  const { outcome } = await attemptLoad(path, env)
  return outcome instanceof ConfigError ? outcome.text : undefined
}

const upstream = (url: string) => `upstreams:\n  u: { kind: openai-compatible, base_url: ${JSON.stringify(url)} }\n`
const server = (url: string) => `servers:\n  s: { transport: http, url: ${JSON.stringify(url)} }\n`

describe('an address', () => {
  it.each([
    ['https://host.example/a?version=1', 'query'],
    ['https://host.example/a?', 'query'],
    ['https://host.example/a#part', 'fragment'],
    ['https://ann:hunter22@host.example/a', 'user name or password'],
    ['https://@host.example/a', 'user name or password'],
    [' https://host.example/a', 'white space'],
    ['https://host.example/a ', 'white space'],
    ['https://host.example/a\tb', 'white space'],
    ['https://host.example\\a', 'backslash'],
    ['https://host.example/a/../b', 'rewritten'],
    ['https://host.example/ä', 'rewritten'],
    ['https://127.1/a', 'rewritten'],
    ['https://höst.example/a', 'rewritten'],
    ['https://host.example:080/a', 'rewritten'],
    ['https:host.example/a', 'must be an http:// or https:// URL'],
    ['ftp://host.example/a', 'must be an http:// or https:// URL'],
  ])('%j is refused as the base of an upstream', async (url, why) => {
    const text = await problemsOf(upstream(url))
    expect(text).toMatch(/turnward\.yaml:2:\d+/)
    expect(text).toContain(why)
    expect(text).not.toContain('hunter22')
  })

  it('keeps its query where there is one endpoint, and nothing else that would be lost', async () => {
    expect(await problemsOf(server('https://host.example/mcp?team=a'))).toBeUndefined()
    expect(await problemsOf(server('https://host.example/mcp#a'))).toContain('fragment')
    expect(await problemsOf(server('https://ann:hunter22@host.example/mcp'))).not.toContain('hunter22')
    expect(await problemsOf('telemetry: { traces: { otlp_endpoint: "http://a:hunter22@b/v1" } }')).toContain('user name')
  })

  it.each(['https://Host.Example/v1', 'https://host.example:443/v1/', 'http://[::1]:8080', 'http://127.0.0.1:4100/a%20b'])(
    '%j is taken',
    async (url) => {
      expect(await problemsOf(upstream(url))).toBeUndefined()
    },
  )
})

describe('a reference', () => {
  const secret = (text: string) => `credentials:\n  c: { secret: '${text}' }\n`
  it('may be escaped', async () => {
    expect(await problemsOf(secret('$${A_NAME}'))).toBeUndefined()
  })
  it('has no place in a key', async () => {
    expect(await problemsOf('contracts:\n  ${A_NAME}: { effects: [mutation] }\n', { A_NAME: 'web' })).toContain('cannot stand in a key')
  })
})

describe('a name or header', () => {
  const office = 'servers: { office: { transport: http, url: "http://h/mcp" } }\n'
  it('of a tool that no tool can have is refused', async () => {
    const why = 'no tool is shown under such a name'
    expect(await problemsOf(`${office}contracts: { office__mail.send: { effects: [egress] } }`)).toContain(why)
    expect(await problemsOf(`${office}principals: { a: {} }\ngrants: [{ principals: [a], tools: ["office__mail.*"] }]`)).toContain(why)
    expect(await problemsOf(`${office}gateways: { main: { servers: [office], tools: ["office__a/b"] } }`)).toContain(why)
    expect(
      await problemsOf(`${office}contracts: { office__mail_*: { effects: [egress] }, own.tool: { effects: [egress] } }`),
    ).toBeUndefined()
  })

  it.each([
    ['listen: { hosts: ["https://gw.example"] }', 'no host name'],
    ['listen: { hosts: ["gw.example "] }', 'no host name'],
    ['contracts: { a: { output: { audience: [" ann@x.example"] } } }', 'white space'],
    ['servers: { s: { transport: http, url: "http://h/mcp", headers: { Accept: text/plain } } }', 'set for each request'],
  ])('%s is refused', async (yaml, why) => {
    expect(await problemsOf(yaml)).toContain(why)
  })
})
