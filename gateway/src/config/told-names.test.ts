/** Names of people and groups that only a token says: noted where that can be, an error where it cannot. */
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterEach, beforeEach, expect, test } from 'vitest'
import { loadConfig } from './load.ts'
import type { ConfigError } from './problems.ts'

let folder: string

beforeEach(() => {
  folder = mkdtempSync(join(tmpdir(), 'turnward-told-'))
})
afterEach(() => rmSync(folder, { recursive: true, force: true }))

const issuers = 'identity: { issuers: { acme: { issuer: "https://idp.acme.example", audiences: [turnward] } } }\n'
const lines = `principals: { alice: { emails: [alice@acme.example] } }
groups: { support: {} }
contracts: { "crm__*": { output: { audience: ["@suport"] } } }
grants:
  - { principals: [alice@acme.example, dana@acme.example], groups: [suport], tools: [x] }
`
const load = async (text: string) => {
  const path = join(folder, 'turnward.yaml')
  writeFileSync(path, text)
  return loadConfig(path, {})
}
const problemsOf = (text: string) =>
  load(text).then(
    () => [],
    (error: unknown) => (error as ConfigError).problems.map(({ path, suggestion }) => [path, suggestion]),
  )

test('an unknown name is an error where every name is declared', async () => {
  expect(await problemsOf(lines)).toEqual([
    ['contracts.crm__*.output.audience[0]', '@support'],
    ['grants[0].principals[1]', undefined],
    ['grants[0].groups[0]', 'support'],
  ])
})

test('it is a notice with the closest name where identity providers say names', async () => {
  const { notices, policy, origins } = await load(issuers + lines)
  expect(notices.map(({ path, suggestion, line }) => [path, suggestion, line])).toEqual([
    ['contracts.crm__*.output.audience[0]', '@support', 4],
    ['grants[0].principals[1]', undefined, 6],
    ['grants[0].groups[0]', 'support', 6],
  ])
  expect(policy.directory.readers).toBeUndefined()
  expect(origins.get('grants[0]')).toMatchObject({ line: 6 })
})

test('a line that forbids tools of a server that is not there is a notice, wherever names come from', async () => {
  const { notices } = await load(
    'servers: { slack: { transport: http, url: "https://slack.example/mcp" } }\ngrants: [{ principals: ["*"], forbid: { tools: [slakc__post, slack__post, Bash, "*__post"] } }]\n',
  )
  expect(notices.map(({ path, suggestion }) => [path, suggestion])).toEqual([['grants[0].forbid.tools[0]', 'slack']])
})

test.each([
  ['a pattern of people', '{ principals: ["*@acme.example"], tools: [x] }', 'grants[0].principals[0]'],
  ['a pattern of groups', '{ groups: ["*"], tools: [x] }', 'grants[0].groups[0]'],
  ['an issuer that is not configured', '{ issuers: [acmee], tools: [x] }', 'grants[0].issuers[0]'],
  ['a server that is not configured', '{ principals: ["*"], servers: [jira] }', 'grants[0].servers[0]'],
  ['a gateway that is not configured', '{ principals: ["*"], forbid: { gateways: [main] } }', 'grants[0].forbid.gateways[0]'],
  ['nobody', '{ tools: [x] }', 'grants[0]'],
])('%s is an error in any case', async (_, line, path) => {
  expect((await problemsOf(`${issuers}grants: [${line}]\n`)).map(([at]) => at)).toEqual([path])
})
