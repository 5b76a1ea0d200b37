/**
 * Packs, held against servers of the registries as they are today: every tool a server lists is described, and no line of
 * its pack names a tool it has not, unless the server lists only some of its tools and has the others found and run by two of
 * them. Left out: servers that are hosted by their vendor or list nothing without an account.
 */
import { mkdtemp, readFile, rm, writeFile } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { expect, test } from 'vitest'
import { parse, stringify } from 'yaml'
import { runCli } from '../harness/cli.ts'
import type { Json } from '../harness/json.ts'
import { registrySettings } from './machine.ts'

/** Packages of a whole Python environment come over the network. */
const installsMs = 500_000

interface Line {
  readonly package: string
  /** Packs that describe it between them. */
  readonly packs: readonly string[]
  readonly args?: readonly string[]
  /** It lists some of its tools only: lines for the others are for clients and releases that see them. */
  readonly listsSome?: true
  /** What it wants to be told before it lists anything; none of it leads anywhere. */
  readonly env?: Readonly<Record<string, string>>
}

const atlassian = { URL: 'https://jira.example', USERNAME: 'ada', API_TOKEN: 'none' }
const lines: readonly Line[] = [
  { package: 'npm:@modelcontextprotocol/server-filesystem', packs: ['filesystem'], args: ['/tmp'] },
  { package: 'npm:@modelcontextprotocol/server-memory', packs: ['memory'] },
  { package: 'npm:@modelcontextprotocol/server-slack', packs: ['slack'], env: { SLACK_BOT_TOKEN: 'none', SLACK_TEAM_ID: 'none' } },
  { package: 'npm:@playwright/mcp', packs: ['playwright'], args: ['--headless'] },
  { package: 'npm:@notionhq/notion-mcp-server', packs: ['notion'], env: { NOTION_TOKEN: 'none' } },
  { package: 'npm:@sentry/mcp-server', packs: ['sentry'], args: ['--access-token=none'], listsSome: true },
  { package: 'npm:mcp-server-kubernetes', packs: ['kubernetes'] },
  {
    package: 'npm:@zereight/mcp-gitlab',
    packs: ['gitlab'],
    env: {
      GITLAB_PERSONAL_ACCESS_TOKEN: 'none',
      GITLAB_TOOLSETS: 'all',
      USE_GITLAB_WIKI: 'true',
      USE_MILESTONE: 'true',
      USE_PIPELINE: 'true',
    },
  },
  { package: 'pypi:mcp-server-fetch', packs: ['fetch'] },
  { package: 'pypi:mcp-server-git', packs: ['git'] },
  {
    package: 'pypi:mcp-atlassian',
    packs: ['jira', 'confluence'],
    env: Object.fromEntries(
      ['JIRA', 'CONFLUENCE'].flatMap((name) => Object.entries(atlassian).map(([key, value]) => [`${name}_${key}`, value])),
    ),
  },
  {
    package: 'pypi:workspace-mcp',
    packs: ['gmail', 'google-drive', 'google-calendar'],
    args: ['--tools', 'gmail', 'drive', 'calendar'],
    env: { GOOGLE_OAUTH_CLIENT_ID: 'none', GOOGLE_OAUTH_CLIENT_SECRET: 'none' },
  },
]

test.for(lines.map((line) => [line.package, line] as const))('%s', async ([reference, line]) => {
  const home = await mkdtemp(join(tmpdir(), 'turnward-packs-'))
  try {
    const file = join(home, 'turnward.yaml')
    await writeFile(file, 'version: 1\n')
    const run = async (...args: readonly string[]) => {
      const { code, stdout, stderr } = await runCli(args, {
        cwd: home,
        timeout: installsMs,
        env: { ...process.env, ...registrySettings } as Record<string, string>,
      })
      if (code !== 0) throw new Error(`${args[0]} ${args[1]}: ${stderr}${stdout}`)
      return JSON.parse(stdout) as Json
    }
    const env = Object.entries(line.env ?? {}).flatMap(([name, value]) => ['--env', `${name}=${value}`])
    await run('servers', 'add', reference, '--name', 'there', '--yes', '--json', ...env, '--', ...(line.args ?? []))
    const listed = ((await run('policy', 'suggest', '--json'))['drafts'] as Json[]).length
    const written = parse(await readFile(file, 'utf8')) as Json
    await writeFile(file, stringify({ ...written, packs: line.packs.map((pack) => ({ [pack]: 'there' })) }))
    const covered = await run('policy', 'suggest', '--json')
    const shown = (await run('policy', 'show', '--effective', '--json'))['contracts'] as Json[]
    expect(covered['drafts']).toEqual([])
    const { described, tools } = covered['coverage'] as { readonly described: number; readonly tools: number }
    expect(described).toBe(tools)
    if (line.listsSome === true) expect(tools).toBeLessThan(shown.length)
    else expect(tools).toBe(shown.length)
    expect(listed).toBeLessThanOrEqual(shown.length)
  } finally {
    await rm(home, { recursive: true, force: true })
  }
})
