/** Who watches a session is woken by whoever changes it, at whichever replica, also after the line to the state broke. */
import { describe, expect, test } from 'vitest'
import { FaultProxy } from '../../../../conformance/harness/fault-proxy.ts'
import { until } from '../../../../conformance/harness/until.ts'
import { systemClock } from '../../core/clock.ts'
import { silentLogger } from '../../core/logger.ts'
import { notedInMemory } from '../../state/backends.fixture.ts'
import { openValkeyState } from '../../state/valkey/open-valkey-state.ts'
import type { Policy } from '../../policy/types.ts'
import { freshState } from './fresh-state.ts'
import { SessionRegistry } from './session-registry.ts'

const redis = process.env['TURNWARD_TEST_REDIS'] ?? ''
const policy = { trustRanks: ['untrusted', 'trusted'] } as unknown as Policy

describe.skipIf(redis === '')('who watches a session at one replica', () => {
  test('is woken when another changes its label, also after a reconnect, and no more once it stopped', async () => {
    await using proxy = await FaultProxy.to(Number(new URL(redis).port))
    const options = { prefix: `watch-${process.pid}:`, timeoutMs: 10_000, noted: notedInMemory(), clock: systemClock, logger: silentLogger }
    const near = await openValkeyState({ ...options, url: proxy.through(redis) })
    const far = await openValkeyState({ ...options, url: redis })
    const [watching, changing] = [new SessionRegistry(near, systemClock), new SessionRegistry(far, systemClock)]
    const begin = { id: 'ses_watched', principal: 'alice', consumer: null, source: 'mcp', parent: null, policyState: freshState(policy) }
    const session = await changing.create(begin, policy, 60_000)
    let woken = 0
    let trust = 1
    const stop = watching.watch(session.id, () => void (woken += 1))
    const change = async (): Promise<void> => {
      trust = 1 - trust
      await changing.changePolicyState(session, (state) => [{ ...state, label: { ...state.label, trust } }, undefined])
    }
    const more = async (what: string): Promise<void> => {
      const before = woken
      await change()
      await until(what, async () => (woken > before ? true : undefined))
    }
    // Listening has begun when it was told that something may have been missed, or of the first change.
    await until('the first change to be heard', async () => {
      await change()
      return woken > 0 ? true : undefined
    })
    await more('a change to be heard')
    expect((await watching.find(session.id, policy, 60_000))?.policyState.label.trust).toBe(trust)
    const before = woken
    proxy.refuse()
    await change()
    proxy.behave()
    // Nothing is said of the change itself any more; that something may have been missed is.
    await until('what was missed to be told', async () => (woken > before ? true : undefined))
    await more('a change after the reconnect to be heard')
    stop()
    const last = woken
    let other = 0
    const stopOther = watching.watch(session.id, () => void (other += 1))
    await until('another listener to hear', async () => {
      await change()
      return other > 1 ? true : undefined
    })
    expect(woken).toBe(last)
    stopOther()
    await near.close()
    await far.close()
  })
})
