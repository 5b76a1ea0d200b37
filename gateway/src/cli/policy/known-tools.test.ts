import { configSchema } from '@turnward/contract/config'
import { expect, test } from 'vitest'
import type { z } from 'zod'
import { compileSnapshot } from '../../config/compile.ts'
import { misplacedTrust } from '../../policy/misplaced-trust/misplaced-trust.ts'
import { knownTools } from './known-tools.ts'

const trusted = { output: { trust: 'trusted' } }
const http = (url: string) => ({ transport: 'http' as const, url })
const snapshotOf = (config: z.input<typeof configSchema>) => compileSnapshot(configSchema.parse(config), { files: [], dataDir: '/nowhere' })
/** Tools that are trusted although packs say otherwise, without asking a server. */
const warned = (config: z.input<typeof configSchema>) => {
  const snapshot = snapshotOf(config)
  return misplacedTrust(snapshot.policy, knownTools(snapshot))
    .filter(({ evidence }) => evidence.some(({ kind }) => kind === 'pack'))
    .map(({ tool }) => tool)
}

const run = (...command: readonly string[]) => ({ transport: 'stdio' as const, command: ['node', ...command] })
const github = { transport: 'stdio' as const, runner: 'docker' as const, docker: { image: 'ghcr.io/github/github-mcp-server:1.2.3' } }

test('a server is known by a package in its command, by what was installed for it, and by its image', () => {
  const slack = run('/srv/node_modules/@modelcontextprotocol/server-slack/dist/index.js')
  expect(warned({ servers: { team: slack }, contracts: { 'team__*': trusted } })).toContain('team__slack_list_channels')
  const installed = { package: 'npm:@modelcontextprotocol/server-slack@2026.1.1', tree: `sha256:${'0'.repeat(64)}` }
  expect(warned({ servers: { team: { ...run('x.js'), installed } }, contracts: { 'team__*': trusted } })).toContain(
    'team__slack_list_channels',
  )
  expect(warned({ servers: { code: github }, contracts: { 'code__*': trusted } })).toContain('code__list_issues')
})

test('a server is known by its address, by the pack an administrator named for it, or by the tools that contracts name', () => {
  expect(warned({ servers: { plans: http('https://mcp.linear.app/mcp') }, contracts: { plans__get_issue: trusted } })).toEqual([
    'plans__get_issue',
  ])
  const mine = { team: http('https://tools.example/mcp') }
  expect(warned({ servers: mine, packs: [{ slack: 'team' }], contracts: { team__slack_get_users: trusted } })).toEqual([
    'team__slack_get_users',
  ])
  const contracts = { team__slack_get_users: trusted, team__slack_list_channels: trusted }
  expect(warned({ servers: mine, contracts })).toEqual(['team__slack_get_users', 'team__slack_list_channels'])
})

test('a package of another scope, or with a longer name, is another server', () => {
  for (const name of [
    '@modelcontextprotocol/server-slack2',
    '/srv/@cyan/mcp-server-fetch/x.js',
    'my-mcp-server-fetch',
    'mcp-server-fetcher',
  ])
    expect(warned({ servers: { team: run(name) }, contracts: { 'team__*': trusted } })).toEqual([])
})

test('tools of agents are known by their names, and a pattern for nothing known by what it says itself', () => {
  const snapshot = snapshotOf({ contracts: { WebFetch: trusted, 'inbox__*': trusted, Read: trusted, 'hr__*': trusted } })
  expect(
    misplacedTrust(snapshot.policy, knownTools(snapshot)).map(({ tool, evidence }) => [tool, evidence.map(({ kind }) => kind)]),
  ).toEqual([
    ['WebFetch', ['pack', 'name']],
    ['inbox__*', ['name']],
  ])
})

test('a server that was asked has the tools it listed and no others', () => {
  const snapshot = snapshotOf({
    servers: { team: http('https://tools.example/mcp') },
    packs: [{ slack: 'team' }],
    contracts: { team__old: trusted },
  })
  const listing = { server: 'team', tools: [], detail: undefined }
  expect(knownTools(snapshot, [listing])).toEqual([])
  expect(knownTools(snapshot, [{ ...listing, tools: undefined }]).length).toBeGreaterThan(5)
})
