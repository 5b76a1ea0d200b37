/** A gateway that is killed hands out no budget anew, and what was under way counts: where it keeps its use on its own disk, and where all share it. */
import { rm, mkdtemp } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { DatabaseSync } from 'node:sqlite'
import { describe, expect, test } from 'vitest'
import { governedConfig, secretEnv, secrets } from '../harness/governed-config.ts'
import { startGateway, type RunningGateway } from '../harness/gateway-process.ts'
import type { Json } from '../harness/json.ts'
import { say } from '../harness/model-answer.ts'
import { post } from '../harness/raw-http.ts'
import { hasServices, makePlaces, startReplica } from '../harness/replicas.ts'
import { until } from '../harness/until.ts'
import { startVendor } from '../harness/vendor.ts'

const boss = 'tw_conformance_killed_budgets_boss_0'
const limit = { name: 'few', per: 'none', count: 'requests', limit: 4, window: 'calendar_month' }

interface Kept {
  start(config: Json): Promise<RunningGateway>
  /** Resolves when so much of the limit would outlive the process. */
  kept(open: number, used: number): Promise<unknown>
  remove(): Promise<void>
}

async function onDisk(): Promise<Kept> {
  const dir = await mkdtemp(join(tmpdir(), 'turnward-killed-budgets-'))
  return {
    start: (config) => startGateway({ config: { ...config, data_dir: dir }, env: secretEnv }),
    kept: (open, used) =>
      until('the use to be on disk', () => {
        const database = new DatabaseSync(join(dir, 'turnward.db'), { readOnly: true })
        try {
          const rows = database.prepare("select value from entries where namespace = 'limit'").all()
          const uses = rows.map(({ value }) => JSON.parse(String(value)) as { used: number; open: Record<string, [number, number]> })
          return uses.some((use) => use.used === used && Object.values(use.open).some(([amount]) => amount === open))
        } finally {
          database.close()
        }
      }),
    remove: () => rm(dir, { recursive: true, force: true }),
  }
}

async function shared(): Promise<Kept> {
  const places = await makePlaces()
  return {
    start: (config) => startReplica('one', { config, env: secretEnv, places }),
    // It is there before anything is done with it.
    kept: async () => {},
    remove: async () => {},
  }
}

describe.each([
  { way: 'on its own disk', isMissing: false, open: onDisk },
  { way: 'in a shared state', isMissing: !hasServices, open: shared },
])('kept $way', ({ isMissing, open }) => {
  test.skipIf(isMissing)('three calls and one that was under way are four, also after the gateway was killed', async () => {
    const hangs = Promise.withResolvers<void>()
    await using vendor = await startVendor((request) =>
      request.index < 3 ? say(request, { text: 'ok' }) : { parts: [hangs.promise], ends: 'never' },
    )
    const { principals, keys, ...rest } = governedConfig({ openai: vendor.url, anthropic: vendor.url })
    const config = {
      ...rest,
      principals: { ...principals, boss: {} },
      keys: { ...keys, boss: { principal: 'boss', secret: boss, scopes: ['admin'] } },
      identity: { roles: { viewer: { people: ['boss'] } } },
      limits: { rules: [limit] },
    }
    const ask = (gateway: RunningGateway): Promise<{ readonly status: number }> =>
      post(`${gateway.url}/v1/chat/completions`, secrets.alice, { model: 'gpt-test', messages: [{ role: 'user', content: 'hi' }] })
    const kept = await open()
    try {
      const first = await kept.start(config)
      for (let call = 0; call < 3; call += 1) expect((await ask(first)).status).toBe(200)
      const cut = ask(first).catch(() => 'cut off')
      await vendor.received(4)
      await kept.kept(1, 3)
      await first.stop('SIGKILL')
      expect(await cut).toBe('cut off')

      await using second = await kept.start(config)
      const shown = await second.cli(['limits', 'show', '--url', second.url, '--key', boss, '--json'])
      expect(JSON.parse(shown.stdout)).toMatchObject({ limits: [{ limit: 'few', used: 4, most: 4, left: 0 }] })
      expect((await ask(second)).status).toBe(429)
      expect(vendor.requests).toHaveLength(4)
    } finally {
      hangs.resolve()
      await kept.remove()
    }
  })
})
