import { describe, expect, test } from 'vitest'
import type { PolicyState } from '../../policy/types.ts'
import { policyOf } from '../../policy/written-policy.fixture.ts'
import { SessionRegistry } from './session-registry.ts'
import { testClock, testState } from '../state-and-clock.fixture.ts'

const idle = 60_000
const low: PolicyState = { label: { trust: 0, audience: [['alice']] }, effects: { done: ['mutation'], reserved: {} } }
const fields = { id: 'ses_1', principal: 'alice', consumer: null, source: 'header', parent: null, policyState: low }

describe('the session registry', () => {
  test('hands out one object for a session while it is known', async () => {
    const clock = testClock()
    const policy = policyOf({})
    const registry = new SessionRegistry(testState(clock), clock)
    const session = await registry.create(fields, policy, idle)
    expect(await registry.find('ses_1', policy, idle)).toBe(session)
    expect(await registry.create({ ...fields, policyState: { ...low, label: { trust: 1, audience: [] } } }, policy, idle)).toBe(session)
  })

  test('a restart forgets neither label nor effects', async () => {
    const clock = testClock()
    const state = testState(clock)
    const policy = policyOf({})
    const before = new SessionRegistry(state, clock)
    await before.save(await before.create(fields, policy, idle), idle)
    const after = await new SessionRegistry(state, clock).find('ses_1', policy, idle)
    expect(after?.policyState).toEqual(low)
  })

  test('of two gateways over one state each sees what the other has changed, and a change is made on the newest', async () => {
    const clock = testClock()
    const state = testState(clock)
    const policy = policyOf({})
    const [one, other] = [new SessionRegistry(state, clock), new SessionRegistry(state, clock)]
    const here = await one.create({ ...fields, policyState: { ...low, label: { trust: 1, audience: [] } } }, policy, idle)
    const there = await other.create({ ...fields, policyState: { ...low, label: { trust: 1, audience: [] } } }, policy, idle)
    await one.changePolicyState(here, (now) => [{ ...now, label: { trust: 0, audience: [] } }, undefined])
    const seen = await other.changePolicyState(there, (now) => [{ ...now, effects: { done: ['paid'], reserved: {} } }, now.label.trust])
    expect(seen).toBe(0)
    expect((await one.find('ses_1', policy, idle))?.policyState).toEqual({
      label: { trust: 0, audience: [] },
      effects: { done: ['paid'], reserved: {} },
    })
  })

  test('what the shared state has lost is put back by whoever knows it, under the label of both', async () => {
    const clock = testClock()
    const state = testState(clock)
    const policy = policyOf({})
    const registry = new SessionRegistry(state, clock)
    const session = await registry.create(fields, policy, idle)
    await registry.save(session, idle)
    const older = await state.get('session', 'ses_1')
    await registry.changePolicyState(session, (now) => [{ ...now, label: { trust: 0, audience: [['alice'], ['bob']] } }, undefined])
    if (older !== undefined) await state.put('session', 'ses_1', older, clock.now() + idle)
    await registry.change(session, (now) => [{ ...now, head: 'elsewhere' }, undefined])
    const after = await new SessionRegistry(state, clock).find('ses_1', policy, idle)
    expect(after?.policyState.label.audience).toEqual([['alice'], ['bob']])
  })

  test('a label the shared state has lost is not lost, however far others have gone on without it', async () => {
    const clock = testClock()
    const state = testState(clock)
    const policy = policyOf({})
    const registry = new SessionRegistry(state, clock)
    const session = await registry.create(fields, policy, idle)
    await registry.save(session, idle)
    const older = await state.get('session', 'ses_1')
    if (older === undefined) throw new Error('the session was not kept')
    await registry.changePolicyState(session, (now) => [{ ...now, label: { trust: 0, audience: [['alice'], ['bob']] } }, undefined])
    await state.put('session', 'ses_1', older, clock.now() + idle)
    const other = new SessionRegistry(state, clock)
    const there = await other.find('ses_1', policy, idle)
    if (there === undefined) throw new Error('the session was not found')
    for (const head of ['first', 'second', 'third']) await other.change(there, (now) => [{ ...now, head }, undefined])
    const here = await registry.find('ses_1', policy, idle)
    expect([here?.state.head, here?.policyState.label.audience]).toEqual(['third', [['alice'], ['bob']]])
  })

  test('an idle session is forgotten, in memory and on disk', async () => {
    const clock = testClock()
    const state = testState(clock)
    const policy = policyOf({})
    const registry = new SessionRegistry(state, clock)
    await registry.save(await registry.create(fields, policy, idle), idle)
    clock.advance(idle + 1)
    expect(await registry.find('ses_1', policy, idle)).toBeUndefined()
    expect(await new SessionRegistry(state, clock).find('ses_1', policy, idle)).toBeUndefined()
  })

  test('a changed list of trust ranks cannot shift what a label means', async () => {
    const clock = testClock()
    const state = testState(clock)
    const registry = new SessionRegistry(state, clock)
    const two = policyOf({})
    await registry.save(await registry.create({ ...fields, policyState: { ...low, label: { trust: 1, audience: [] } } }, two, idle), idle)
    const three = policyOf({ policy: { trust: ['untrusted', 'checked', 'trusted'] } })
    expect((await registry.find('ses_1', three, idle))?.policyState.label.trust).toBe(2)
    const renamed = policyOf({ policy: { trust: ['low', 'high'] } })
    expect((await registry.find('ses_1', renamed, idle))?.policyState.label.trust).toBe(0)
  })

  test('a call that runs on from before the ranks changed means its own ranks, and none of its labels is taken for a higher one', async () => {
    const clock = testClock()
    const registry = new SessionRegistry(testState(clock), clock)
    const three = policyOf({ policy: { trust: ['untrusted', 'checked', 'trusted'] } })
    const two = policyOf({})
    const top: PolicyState = { label: { trust: 2, audience: [] }, effects: low.effects }
    const running = await registry.create({ ...fields, policyState: top }, three, idle)
    const newer = await registry.find('ses_1', two, idle)
    expect([running.policyState.label.trust, newer?.policyState.label.trust]).toEqual([2, 1])
    // It reads what is `checked`, a rank that the others no longer have.
    await registry.changePolicyState(running, (now) => [{ ...now, label: { trust: 1, audience: [] } }, undefined])
    expect([running.policyState.label.trust, newer?.policyState.label.trust]).toEqual([0, 0])
    const again = await registry.find('ses_1', three, idle)
    expect(again?.policyState.label.trust).toBe(0)
  })

  test('wakes watchers when the label changes, and only then', async () => {
    const clock = testClock()
    const policy = policyOf({})
    const registry = new SessionRegistry(testState(clock), clock)
    const session = await registry.create(fields, policy, idle)
    let woken = 0
    const stop = registry.watch('ses_1', () => (woken += 1))
    void registry.changePolicyState(session, (state) => [state, undefined])
    void registry.change(session, (state) => [{ ...state, head: 'elsewhere' }, undefined])
    expect(woken).toBe(0)
    const narrowed = (state: PolicyState): readonly [PolicyState, string] => [
      { ...state, label: { trust: 0, audience: [['bob']] } },
      'what was found',
    ]
    expect(registry.changePolicyState(session, narrowed)).toBe('what was found')
    expect([woken, session.state.version, session.policyState.label.audience]).toEqual([1, 2, [['bob']]])
    stop()
    void registry.changePolicyState(session, () => [low, undefined])
    expect(woken).toBe(1)
  })

  test('keeps no more sessions in memory than it may; the others come back from the store', async () => {
    const clock = testClock()
    const policy = policyOf({})
    const registry = new SessionRegistry(testState(clock), clock, () => 10)
    for (let index = 0; index < 100; index += 1) {
      const session = await registry.create({ ...fields, id: `ses_${index}` }, policy, idle)
      await registry.save(session, idle)
    }
    expect(registry.size).toBe(10)
    expect((await registry.find('ses_0', policy, idle))?.policyState).toEqual(low)
    expect(registry.size).toBe(10)
  })
})
