/** `turnward policy` on a configuration file: what is in force, what is drafted, what enforcing would refuse. */
import { mkdtemp, rm, writeFile } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { beforeEach, describe, expect, test } from 'vitest'
import { runCli, type CliResult } from '../harness/cli.ts'
import type { Json } from '../harness/json.ts'

let home: string
beforeEach(async () => {
  home = await mkdtemp(join(tmpdir(), 'turnward-policy-'))
  return () => rm(home, { recursive: true, force: true })
})

async function run(config: Json, ...args: readonly string[]): Promise<CliResult> {
  await writeFile(join(home, 'turnward.yaml'), JSON.stringify(config))
  return runCli(['policy', ...args], { cwd: home, env: { PATH: process.env['PATH'] ?? '', HOME: home } })
}

describe('`policy show`', () => {
  const config = {
    packs: ['claude-code'],
    contracts: {
      WebFetch: { output: { trust: 'untrusted' } },
      'b__*': { effects: ['egress'], requires: { trust: 'trusted', audience: { includes: ['$args.to'] } } },
    },
  }

  test('prints the contracts of the file; with `--effective` those of packs too, each with who says so', async () => {
    const own = JSON.parse((await run(config, 'show', '--json')).stdout) as Json
    expect(own).toMatchObject({ posture: 'standard', packs: ['claude-code@2'] })
    expect((own['contracts'] as Json[]).map(({ pattern, from }) => [pattern, from])).toEqual([
      ['WebFetch', 'configuration'],
      ['b__*', 'configuration'],
    ])
    const all = JSON.parse((await run(config, 'show', '--effective', '--json')).stdout) as Json
    const bash = (all['contracts'] as Json[]).find(({ pattern }) => pattern === 'Bash')
    expect(bash).toMatchObject({
      from: 'claude-code@2',
      output: { trust: 'trusted' },
      effects: ['egress', 'mutation'],
      requires: { trust: 'trusted' },
      why: expect.stringContaining('command'),
    })
    expect((all['contracts'] as Json[]).filter(({ pattern }) => pattern === 'WebFetch')).toMatchObject([{ from: 'configuration' }])
    const { stdout } = await run(config, 'show', '--effective')
    expect(stdout).toMatch(/^Bash +trusted +egress, mutation +trusted, unless checking_command +claude-code@2$/m)
    expect(stdout).toMatch(/^b__\* +- +egress +trusted, readers \$args\.to +configuration$/m)
  })

  test('with `--tool` says which contract a name gets, and what having none means', async () => {
    expect((await run(config, 'show', '--tool', 'b__send')).stdout).toMatch(/^b__\* .*configuration$/m)
    expect((await run(config, 'show', '--tool', 'Bash')).stdout).toContain('needs a session that has read nothing untrusted')
    const none = await run(config, 'show', '--tool', 'files__read')
    expect(none).toMatchObject({ code: 0 })
    expect(none.stdout).toMatch(/no contract describes it/)
    expect(JSON.parse((await run(config, 'show', '--tool', 'files__read', '--json')).stdout)).toEqual({
      tool: 'files__read',
      contract: null,
      posture: 'standard',
    })
  })
})

describe('`policy check`', () => {
  const config = {
    servers: {
      team: { transport: 'http', url: 'http://127.0.0.1:1/mcp' },
      plans: { transport: 'http', url: 'https://mcp.linear.app/mcp' },
    },
    contracts: { team__list_channels: { output: { trust: 'trusted' } }, 'plans__get_*': { effects: [] } },
  }

  test('warns of trust in what strangers can write, says what speaks for it, and is no error', async () => {
    const { code, stdout } = await run(config, 'check', '--offline', '--json')
    expect(code).toBe(0)
    const { misplacedTrust } = JSON.parse(stdout) as { readonly misplacedTrust: readonly Json[] }
    expect(misplacedTrust).toContainEqual({
      tool: 'team__list_channels',
      contract: 'team__list_channels',
      trust: 'trusted',
      evidence: [{ kind: 'name', detail: expect.stringContaining('`channel`') }],
    })
    expect(misplacedTrust).toContainEqual(
      expect.objectContaining({
        tool: 'plans__get_issue',
        contract: 'plans__get_*',
        trust: null,
        evidence: expect.arrayContaining([expect.objectContaining({ kind: 'pack' })]),
      }),
    )
    const told = (await run(config, 'check', '--offline')).stdout
    expect(told).toMatch(/^warning: team__list_channels: contract team__list_channels calls its results `trusted`, but its name says/m)
    expect(told).toContain('`output.because`')
  })

  test('a reason in words ends the warning, and is shown', async () => {
    const because = 'Only our administrators can make channels.'
    const contracts = { team__list_channels: { output: { trust: 'trusted', because } } }
    expect((await run({ ...config, contracts }, 'check', '--offline')).stdout).toMatch(/^no contract trusts what strangers/m)
    const shown = JSON.parse((await run({ ...config, contracts }, 'show', '--json')).stdout) as Json
    expect(shown['contracts']).toMatchObject([{ output: { trust: 'trusted', because } }])
    expect((await run({ ...config, contracts: { team__list_channels: { output: { because: 'x' } } } }, 'check', '--offline')).code).toBe(3)
  })

  test('a server that cannot be asked is named, and the rest looked at', async () => {
    const { code, stdout } = await run({ ...config, servers: { team: config.servers.team } }, 'check', '--json')
    expect(code).toBe(0)
    expect(JSON.parse(stdout)).toMatchObject({
      unasked: [{ server: 'team' }],
      misplacedTrust: [{ tool: 'team__list_channels' }],
    })
  })

  test('`turnward check` says the same of what the configuration names', async () => {
    await writeFile(join(home, 'turnward.yaml'), JSON.stringify(config))
    const checked = await runCli(['check', '--json'], { cwd: home, env: { PATH: process.env['PATH'] ?? '', HOME: home } })
    expect(checked.code).toBe(0)
    expect((JSON.parse(checked.stdout) as { readonly misplacedTrust: readonly Json[] }).misplacedTrust.map(({ tool }) => tool)).toContain(
      'team__list_channels',
    )
  })
})
