/** One worker that cannot take a configuration is enough: nobody runs on it, and the operator hears which worker and why. */
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { expect, test } from 'vitest'
import type { Json } from '../harness/json.ts'
import { until } from '../harness/until.ts'
import { startSeveral } from './several.ts'

test('a configuration that one worker refuses is taken by none', async () => {
  const folder = mkdtempSync(join(tmpdir(), 'turnward-preload-'))
  // The second worker lacks what the new configuration asks of its environment.
  const preload = join(folder, 'preload.cjs')
  writeFileSync(preload, `if (require('node:cluster').worker?.id === 2) delete process.env.ONLY_SOME_HAVE_IT`)
  const env = { ONLY_SOME_HAVE_IT: 'tw_conformance_bob_000000000002', NODE_OPTIONS: `--require=${preload}` }
  const several = await startSeveral({}, 2, env)
  try {
    const { gateway, config } = several
    const revisions = async (): Promise<unknown[]> => {
      const asked = await Promise.all([0, 1].map(async (worker) => (await several.to(worker)).ask('/healthz')))
      return asked.map(({ json }) => json['revision'])
    }
    const [running] = await revisions()
    const principals = { ada: {}, bob: {} }
    const keys = { ...(config['keys'] as Json), bob: { principal: 'bob', secret: '${ONLY_SOME_HAVE_IT}' } }
    await gateway.writeConfig({ ...config, principals, keys })
    await until('the refusal', () => (gateway.logs().includes('the configuration is not valid') ? true : undefined))
    expect(gateway.logs()).toContain('worker 1 cannot take it')
    expect(await revisions()).toEqual([running, running])
    // What every worker can take is taken by all, whatever was refused before.
    await gateway.writeConfig({ ...config, principals })
    await until('the new revision at both', async () => {
      const [one, other] = await revisions()
      return one === other && one !== running ? true : undefined
    })
  } finally {
    await several[Symbol.asyncDispose]()
    rmSync(folder, { recursive: true, force: true })
  }
})
