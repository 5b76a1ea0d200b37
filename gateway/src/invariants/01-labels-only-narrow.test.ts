/** Invariant 1: a label never becomes less restrictive within a session; a fork inherits it. */
import fc from 'fast-check'
import { describe, expect, test } from 'vitest'
import { say } from '../../../conformance/harness/model-answer.ts'
import { post } from '../../../conformance/harness/raw-http.ts'
import { startVendor } from '../../../conformance/harness/vendor.ts'
import { admit, unknownLabel } from '../policy/admit.ts'
import { noEvidence } from '../policy/evidence.ts'
import { join, labelFromRecord, labelRecord } from '../policy/label.ts'
import { alice, fresh, policyOf, tool } from '../policy/written-policy.fixture.ts'
import type { Label, PolicyState } from '../policy/types.ts'
import type { Session } from '../state/sessions.ts'
import { configOf, keys, openFloors } from './floors.fixture.ts'
import { vendorConfig } from './vendors.fixture.ts'

const policy = policyOf({
  policy: { trust: ['untrusted', 'partner', 'trusted'] },
  contracts: {
    web: { output: { trust: 'untrusted' } },
    partner: { output: { trust: 'partner', audience: ['@support', 'alice'] } },
    personnel: { output: { audience: ['@hr'] } },
    own: { output: { audience: ['$principal'] } },
    open: { output: { trust: 'trusted', audience: ['public'] } },
    backup: { output: { trust: 'trusted' }, effects: ['backup'] },
  },
})

/** Everyone who could be asked about, to say by brute force who may receive. */
const readers = ['alice', 'bob', '@hr', '@support', 'corp.example']
const receivers = ({ audience }: Label): string[] => readers.filter((reader) => audience.every((clause) => clause.includes(reader)))

function expectAtLeastAsRestrictive(after: Label, before: Label): void {
  expect(after.trust).toBeLessThanOrEqual(before.trust)
  expect(receivers(before)).toEqual(expect.arrayContaining(receivers(after)))
  // Exact, not only for the readers above: joining the earlier label again changes nothing.
  expect(join(after, before)).toEqual(after)
}

const names = ['web', 'partner', 'personnel', 'own', 'open', 'backup', 'nobody_described_it']
const event = fc.oneof(
  fc.record({
    kind: fc.constant('result' as const),
    name: fc.constantFrom(...names),
    succeeded: fc.boolean(),
    openWorld: fc.boolean(),
  }),
  fc.record({ kind: fc.constant('unknown' as const) }),
)

function apply(state: PolicyState, what: typeof event extends fc.Arbitrary<infer T> ? T : never): PolicyState {
  if (what.kind === 'unknown') return { ...state, label: join(state.label, unknownLabel(policy, alice)) }
  return admit(
    policy,
    state,
    {
      tools: [tool(what.name, { openWorldHint: what.openWorld })],
      principal: alice,
      callKey: 'call-1',
      outcome: what.succeeded ? 'done' : 'failed',
    },
    noEvidence,
  ).state
}

describe('the engine', () => {
  test('whatever is admitted, in whatever order, the label is at least as restrictive as before', () => {
    fc.assert(
      fc.property(fc.array(event, { maxLength: 12 }), (events) => {
        let state = fresh(policy)
        for (const one of events) {
          const after = apply(state, one)
          expectAtLeastAsRestrictive(after.label, state.label)
          state = after
        }
      }),
    )
  })

  test('the order does not matter: what was read decides, not when', () => {
    fc.assert(
      fc.property(fc.array(event, { maxLength: 8 }), fc.nat(), (events, seed) => {
        const moved = events.map((one, index) => ({ one, at: (index * 7 + seed) % 11 })).sort((a, b) => a.at - b.at)
        const [inOrder, outOfOrder] = [events, moved.map(({ one }) => one)].map((all) => all.reduce(apply, fresh(policy)))
        expect(outOfOrder?.label).toEqual(inOrder?.label)
      }),
    )
  })

  test('a label that was stored comes back as restrictive, also when its rank is no longer configured', () => {
    fc.assert(
      fc.property(fc.array(event, { maxLength: 6 }), fc.boolean(), (events, renamed) => {
        const { label } = events.reduce(apply, fresh(policy))
        const later = renamed ? { trustRanks: ['untrusted', 'friend', 'trusted'] } : policy
        const back = labelFromRecord(labelRecord(label, policy), later)
        expect(back.audience).toEqual(label.audience)
        expect(back.trust).toBeLessThanOrEqual(label.trust)
      }),
    )
  })
})

describe('a session at the MCP endpoint', () => {
  const tools = {
    office__web: {},
    office__personnel: {},
    office__news: {},
    office__broken: { run: () => ({ content: [], isError: true }) },
    office__gone: { run: () => Promise.reject(new Error('socket')) },
  }
  const config = configOf({
    contracts: {
      office__web: { output: { trust: 'untrusted' } },
      office__broken: { output: { trust: 'untrusted' } },
      office__gone: { output: { audience: ['@staff'] } },
      office__personnel: { output: { trust: 'trusted', audience: ['@staff'] } },
      office__news: { output: { trust: 'trusted' } },
    },
  })

  test('narrows by what its calls bring back, failed calls included, and never widens again', async () => {
    await fc.assert(
      fc.asyncProperty(fc.array(fc.constantFrom(...Object.keys(tools)), { minLength: 1, maxLength: 6 }), async (calls) => {
        await using floors = await openFloors({ config, tools })
        const context = await floors.context(keys.alice, 'one')
        for (const name of calls) await floors.call(context, name).catch(() => undefined)
        const outcomes = floors.log.records.filter((record) => record.type === 'outcome')
        expect(outcomes).toHaveLength(calls.length)
        let before = { trust: 'trusted', audience: [] as string[][] }
        for (const [index, outcome] of outcomes.entries()) {
          const after = outcome.labelAfter
          if (after === null || outcome.labelBefore === null) throw new Error('an outcome without a label')
          expect(outcome.labelBefore).toEqual(before)
          const brings = ['office__web', 'office__broken'].includes(calls[index] ?? '') ? 'untrusted' : 'trusted'
          expect(after.trust).toBe(before.trust === 'untrusted' ? 'untrusted' : brings)
          expect(after.audience).toEqual(
            before.audience.length > 0 || ['office__personnel', 'office__gone'].includes(calls[index] ?? '') ? [['@staff']] : [],
          )
          before = after
        }
      }),
      { numRuns: 40 },
    )
  })
})

describe('a fork', () => {
  test('has the label of the shared prefix, and the effects of its parent', async () => {
    await using vendor = await startVendor((request) =>
      say(request, request.body.messages.length === 1 ? { text: 'I look.', calls: [{ id: 'call_1', name: 'web' }] } : { text: 'Well.' }),
    )
    await using floors = await openFloors({
      config: vendorConfig('openai', vendor.url, { contracts: { web: { output: { trust: 'untrusted', audience: ['@staff'] } } } }),
    })
    const { sessions, snapshot } = floors.services
    const ask = async (messages: readonly object[]): Promise<Session> => {
      const { headers } = await post(`${floors.url}/v1/chat/completions`, keys.alice, { model: 'm', messages })
      const session = await sessions.find(String(headers['x-turnward-session']), snapshot().policy, 60_000)
      if (session === undefined) throw new Error('the session is not there')
      return session
    }
    const read = [
      { role: 'user', content: 'one' },
      {
        role: 'assistant',
        content: 'I look.',
        tool_calls: [{ id: 'call_1', type: 'function', function: { name: 'web', arguments: '{}' } }],
      },
      { role: 'tool', tool_call_id: 'call_1', content: 'a page' },
      { role: 'assistant', content: 'Well.' },
    ]
    await ask(read.slice(0, 1))
    const parent = await ask(read.slice(0, 3))
    const effects = { done: ['backup'], reserved: { running: ['migration'] } }
    await sessions.changePolicyState(parent, (state) => [{ ...state, effects }, undefined])
    expect(await ask([...read, { role: 'user', content: 'two' }])).toBe(parent)

    const fork = await ask([...read, { role: 'user', content: 'another two' }])
    expect(fork.id).not.toBe(parent.id)
    expect(fork.state).toMatchObject({
      source: 'fork',
      parent: parent.id,
      policyState: { label: { trust: 0, audience: [['@staff']] }, effects },
    })
    // From where nothing was read yet, the label is that of then; what was done stays done.
    const early = await ask([...read.slice(0, 1), { role: 'user', content: 'never mind' }])
    expect(early.state).toMatchObject({ source: 'fork', parent: parent.id, policyState: { label: { trust: 1, audience: [] }, effects } })
  })
})
