/**
 * Invariant 9: replaying the log through the engine yields the same verdicts. The log keeps digests of arguments and
 * not the arguments, so the inputs of each call are noted here as they go in, and checked against those digests.
 */
import fc from 'fast-check'
import { expect, test } from 'vitest'
import { digestJson } from '../core/hash.ts'
import type { JsonObject } from '../core/json.ts'
import { admit } from '../policy/admit.ts'
import { decide } from '../policy/decide.ts'
import { noEvidence } from '../policy/evidence.ts'
import { reserve } from '../policy/effects.ts'
import { labelRecord } from '../policy/label.ts'
import type { PolicyState } from '../policy/types.ts'
import { verdictFields } from '../turns/recording/recording.ts'
import { freshState } from '../turns/sessions/fresh-state.ts'
import { configOf, keys, openFloors } from './floors.fixture.ts'

const tools = {
  office__web: {},
  office__personnel: { hints: { openWorldHint: false } },
  office__backup: {},
  office__failing: { run: () => ({ content: [], isError: true }) },
  office__migrate: { hints: { destructiveHint: true } },
  office__send: {},
  office__mystery: { hints: { openWorldHint: true } },
}

const config = (posture: 'strict' | 'standard' | 'observe') =>
  configOf({
    policy: { posture, trust: ['untrusted', 'partner', 'trusted'] },
    contracts: {
      office__web: { output: { trust: 'untrusted' } },
      office__personnel: { output: { trust: 'partner', audience: ['@staff', '$principal'] } },
      office__backup: { output: { trust: 'trusted' }, effects: ['backup'] },
      office__failing: { output: { trust: 'trusted' }, effects: ['backup'] },
      office__migrate: {
        output: { trust: 'trusted' },
        effects: ['migration'],
        requires: { done: ['backup'], not_done: ['migration', 'mutation'] },
      },
      office__send: {
        output: { trust: 'trusted' },
        effects: ['egress'],
        requires: { trust: 'partner', audience: { includes: ['$args.to'] } },
      },
    },
    rules: [
      { name: 'long', when: "tool.name == 'office__send' && size(args.body) > 3", verdict: 'deny', reason: 'Too long.' },
      { name: 'watched', when: "'egress' in tool.effects", verdict: 'warn', reason: 'Watched.' },
      {
        name: 'after-web',
        when: "session.trust_rank == 0 && tool.name == 'office__backup' && args.n > 1",
        verdict: 'deny',
        reason: 'Not now.',
      },
    ],
  })

const event = fc.record({
  name: fc.constantFrom(...Object.keys(tools)),
  args: fc.record(
    {
      to: fc.constantFrom<unknown>('alice@corp.example', 'eve@evil.example', ['bob@corp.example', '@staff'], 7),
      body: fc.string({ maxLength: 6 }),
      n: fc.nat(3),
    },
    { requiredKeys: [] },
  ) as fc.Arbitrary<JsonObject>,
})

test('every verdict, reason, gap, remedy and label of the log follows from what went before it', async () => {
  await fc.assert(
    fc.asyncProperty(
      fc.constantFrom('strict' as const, 'standard' as const, 'observe' as const),
      fc.array(event, { minLength: 1, maxLength: 10 }),
      async (posture, events) => {
        await using floors = await openFloors({ config: config(posture), tools })
        const context = await floors.context(keys.alice, 'one')
        for (const { name, args } of events) await floors.call(context, name, args)
        // As the log keeps them: text.
        const records = floors.log.records
          .map((record) => JSON.parse(JSON.stringify(record)) as typeof record)
          .filter(({ kind }) => kind === 'tool_call')
        const { policy } = context.snapshot
        const { principal, actor } = context.caller

        let state: PolicyState = freshState(policy)
        for (const { name, args } of events) {
          const [decided, ended] = [records.shift(), records.shift()]
          if (decided === undefined || ended === undefined) throw new Error('the log is too short')
          expect(decided).toMatchObject({
            type: 'decision',
            subject: name,
            argumentsDigest: digestJson(args),
            labelBefore: labelRecord(state.label, policy),
          })
          const subject = { name, server: 'office', hints: (tools as Record<string, { hints?: object }>)[name]?.hints ?? {} }
          const callKey = decided.toolCallId ?? ''
          const verdict = decide(policy, state, { tool: subject, args, caller: { principal, actor }, gateway: 'main', callKey }, noEvidence)
          expect(decided).toMatchObject(JSON.parse(JSON.stringify(verdictFields(verdict))))
          if (verdict.action === 'refuse') {
            expect(ended).toMatchObject({ id: decided.id, type: 'outcome', outcome: 'refused' })
            continue
          }
          state = { ...state, effects: reserve(state.effects, callKey, verdict.effects) }
          state = admit(
            policy,
            state,
            { tools: [subject], principal, callKey, outcome: ended.outcome === 'ok' ? 'done' : 'failed' },
            noEvidence,
          ).state
          expect(ended).toMatchObject({ id: decided.id, type: 'outcome', labelAfter: labelRecord(state.label, policy) })
        }
        expect(records).toEqual([])
      },
    ),
    { numRuns: 100 },
  )
})

test('the engine is a function: the same question has the same answer, and asking changes nothing', async () => {
  await using floors = await openFloors({ config: config('standard'), tools })
  const { snapshot, caller } = await floors.context(keys.alice, 'one')
  fc.assert(
    fc.property(event, fc.nat(2), ({ name, args }, trust) => {
      const state: PolicyState = Object.freeze({
        label: Object.freeze({ trust, audience: [['@staff']] }),
        effects: Object.freeze({ done: ['backup'], reserved: {} }),
      })
      const question = {
        tool: { name, server: 'office' },
        args,
        caller: { principal: caller.principal, actor: null },
        gateway: null,
        callKey: 'call',
      }
      const before = JSON.stringify([state, question])
      expect(decide(snapshot.policy, state, question, noEvidence)).toEqual(decide(snapshot.policy, state, question, noEvidence))
      expect(JSON.stringify([state, question])).toBe(before)
    }),
  )
})
