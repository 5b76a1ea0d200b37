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
    expect(own).toMatchObject({ posture: 'standard', packs: ['claude-code@1'] })
    expect((own['contracts'] as Json[]).map(({ pattern, from }) => [pattern, from])).toEqual([
      ['WebFetch', 'configuration'],
      ['b__*', 'configuration'],
    ])
    const all = JSON.parse((await run(config, 'show', '--effective', '--json')).stdout) as Json
    const bash = (all['contracts'] as Json[]).find(({ pattern }) => pattern === 'Bash')
    expect(bash).toMatchObject({
      from: 'claude-code@1',
      output: { trust: 'trusted' },
      effects: ['egress', 'mutation'],
      requires: { trust: 'trusted' },
      why: expect.stringContaining('command'),
    })
    expect((all['contracts'] as Json[]).filter(({ pattern }) => pattern === 'WebFetch')).toMatchObject([{ from: 'configuration' }])
    const { stdout } = await run(config, 'show', '--effective')
    expect(stdout).toMatch(/^Bash +trusted +egress, mutation +trusted +claude-code@1$/m)
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
