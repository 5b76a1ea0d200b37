import { mkdirSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { dirname, join } from 'node:path'
import { afterEach, beforeEach, describe, expect, test } from 'vitest'
import { admit } from '../policy/admit.ts'
import { decide } from '../policy/decide.ts'
import { noEvidence } from '../policy/evidence.ts'
import { emptyLedger } from '../policy/effects.ts'
import { publicLabel } from '../policy/label.ts'
import type { PolicyState } from '../policy/types.ts'
import { loadConfig } from './load.ts'
import type { Snapshot } from './snapshot.ts'
import { starterConfig, starterKeyPath } from './starter.ts'

let folder: string
beforeEach(() => {
  folder = mkdtempSync(join(tmpdir(), 'turnward-starter-'))
})
afterEach(() => rmSync(folder, { recursive: true }))

async function start(): Promise<Snapshot> {
  const key = join(folder, starterKeyPath)
  mkdirSync(dirname(key), { recursive: true })
  writeFileSync(key, 'tw_starter0123456789abcdef\n')
  writeFileSync(join(folder, 'turnward.yaml'), starterConfig)
  return loadConfig(join(folder, 'turnward.yaml'), {})
}

describe('the starter configuration', () => {
  test('loads without any account', async () => {
    const snapshot = await start()
    expect(snapshot.routes.resolve('gpt-4o')?.targets[0]?.upstream.name).toBe('openai')
    expect(snapshot.routes.resolve('claude-opus')?.targets[0]?.upstream.name).toBe('anthropic')
    expect(snapshot.keys.get('dev')?.secret).toBe('tw_starter0123456789abcdef')
    expect(snapshot.servers.get('notes')?.config).toMatchObject({
      transport: 'stdio',
      runner: 'bubblewrap',
      mounts: [{ path: join(folder, 'notes') }],
    })
  })

  test('observes at first, and one word makes it enforce', async () => {
    expect((await start()).policy.posture).toBe('observe')
    writeFileSync(join(folder, 'turnward.yaml'), starterConfig.replace('\n  posture: observe\n', '\n  posture: standard\n'))
    expect((await loadConfig(join(folder, 'turnward.yaml'), {})).policy.posture).toBe('standard')
  })

  test('once enforced, stops a leak: after reading notes, mail goes to staff and not to strangers', async () => {
    const { policy: observing, principals } = await start()
    const policy = { ...observing, posture: 'standard' as const }
    const principal = principals.get('me')
    if (principal === undefined) throw new Error('the starter has a principal `me`')
    const mail = (state: PolicyState, to: string) =>
      decide(
        policy,
        state,
        {
          tool: { name: 'mail__send', server: 'mail' },
          args: { to },
          caller: { principal, actor: null },
          gateway: 'main',
          callKey: 'call',
        },
        noEvidence,
      ).action
    const fresh: PolicyState = { label: publicLabel(policy.trustRanks.length - 1), effects: emptyLedger }
    const read = (tool: string) =>
      admit(policy, fresh, { tools: [{ name: tool, server: 'x' }], principal, callKey: 'read', outcome: 'done' }, noEvidence).state
    expect(mail(fresh, 'stranger@evil.example')).toBe('release')
    expect(mail(read('notes__read_file'), 'stranger@evil.example')).toBe('refuse')
    expect(mail(read('notes__read_file'), 'me@example.com')).toBe('release')
    expect(mail(read('web__fetch'), 'me@example.com')).toBe('refuse')
  })
})
