import { describe, expect, test } from 'vitest'
import type { DecisionRecord } from '@turnward/contract/decision'
import { decision } from '../../audit/records.fixture.ts'
import { alice, type ConfigInput, people, policyOf, principal } from '../written-policy.fixture.ts'
import { clientRun, type GapKind } from '../types.ts'
import { Replayer } from './replay.ts'
import type { Side } from './sides.ts'

const written: ConfigInput = {
  values: { payees: ['acct-1'] },
  contracts: {
    send: { requires: { trust: 'trusted', audience: { includes: ['$args.to'] }, done: ['asked'], not_done: ['sent'] } },
    pay: { args: { to: { role: 'destination', values: ['payees'] } }, output: { trust: 'trusted' } },
    look: { output: { trust: 'untrusted' } },
    ask: { effects: ['asked'], output: { trust: 'trusted' } },
  },
  rules: [{ name: 'big', when: "tool.name == 'send' && args.n > 3", verdict: 'deny', reason: 'Too big.' }],
}
const side = (config: ConfigInput = written): Side => ({
  policy: policyOf(config),
  principals: new Map(['alice', 'bob'].map((id) => [id, id === 'alice' ? alice : principal(id)])),
})
const untrusted = { trust: 'untrusted', audience: [] }
const trusted = { trust: 'trusted', audience: [] }

function replay(records: readonly DecisionRecord[], draft: ConfigInput = written, options: { begun?: ReadonlySet<string> } = {}) {
  const replayer = new Replayer(
    { now: side(), draft: side(draft), revision: 'r1' },
    { begunBefore: options.begun ?? new Set(), toolOf: ({ subject }) => ({ tool: { name: subject, server: clientRun }, isListed: true }) },
  )
  for (const record of records) replayer.add(record)
  return replayer.report()
}

/** A call of `send` that lacked something. */
const refused = (kind: GapKind, more: Partial<DecisionRecord> = {}): DecisionRecord =>
  decision({
    subject: 'send',
    verdict: 'deny',
    action: 'refuse',
    gaps: [{ kind, detail: 'something', source: kind === 'rule' ? 'rule big' : 'contract send' }],
    labelBefore: untrusted,
    labelAfter: untrusted,
    ...more,
  })

describe('a call that was refused', () => {
  test.each<GapKind>(['trust', 'audience', 'argument', 'provenance', 'approval', 'rule', 'done', 'not_done'])(
    'for want of %s is refused again while nobody writes anything else',
    (kind) => expect(replay([refused(kind)])).toMatchObject({ same: 1, changed: 0, notKnown: 0, otherReasons: 0 }),
  )

  test.each([
    ['by a stop', [{ kind: 'stop', detail: 'stopped', source: 'stop' }]],
    ['without a ticket', [{ kind: 'ticket', detail: 'none', source: 'turns.tickets' }]],
    ['because its arguments do not fit', [{ kind: 'argument', detail: 'no', source: 'input schema' }]],
    ['by a person', [{ kind: 'approval', detail: 'no', source: 'rulings' }]],
    ['by a limit', []],
  ] as const)('%s is refused by any draft', (_why, gaps) => {
    const record = refused('trust', { subject: 'pay', gaps: gaps.map((gap) => ({ ...gap })) })
    expect(replay([record], { contracts: { pay: { output: { trust: 'trusted' } } } })).toMatchObject({ same: 1, changed: 0 })
  })

  test('under another revision is decided anew as far as that goes, and nothing of it is repeated', () => {
    const other = replay([
      refused('provenance', { subject: 'pay', gaps: [{ kind: 'provenance', detail: 'none', source: 'contract pay' }], revision: 'r0' }),
    ])
    expect(other).toMatchObject({ otherRevisions: 1, notKnown: 1, same: 0, unknown: [{ tool: 'pay', asks: [{ source: 'contract pay' }] }] })
    expect(replay([refused('trust', { revision: 'r0' })])).toMatchObject({ same: 0, notKnown: 0, otherReasons: 1, changed: 0 })
  })
})

describe('what a session has done', () => {
  const released = (subject: string, more: Partial<DecisionRecord> = {}): DecisionRecord =>
    decision({ subject, toolCallId: `c-${subject}`, labelBefore: trusted, labelAfter: trusted, rules: ['grant #1'], ...more })
  const draft: ConfigInput = {
    ...written,
    contracts: { ...written.contracts, look: { output: { trust: 'untrusted' }, requires: { done: ['asked'] } } },
  }
  const asked = released('ask')

  test('is what its calls did that ended well here', () => {
    const ended = (outcome: DecisionRecord['outcome']) => ({ ...asked, type: 'outcome' as const, outcome })
    expect(replay([asked, ended('ok'), released('look')], draft)).toMatchObject({ changed: 0, notKnown: 0 })
    expect(replay([asked, ended('tool_error'), released('look')], draft)).toMatchObject({
      changes: [{ decidedBy: ['contract look (done)'] }],
    })
    expect(replay([asked, ended('timeout'), released('look')], draft)).toMatchObject({ notKnown: 1 })
  })

  test('is not known where the session had begun before, or may go on from another one', () => {
    expect(replay([released('look')], draft)).toMatchObject({ changed: 1 })
    expect(replay([released('look')], draft, { begun: new Set(['ses_1']) })).toMatchObject({ changed: 0, notKnown: 1 })
    const elsewhere = [asked, { ...asked, type: 'outcome' as const, outcome: 'ok' as const }].map((record) => ({
      ...record,
      session: 'ses_2',
    }))
    expect(replay([...elsewhere, released('look')], draft)).toMatchObject({ changed: 0, notKnown: 1 })
  })
})

test('groups that an issuer told of stay, and those that the draft declares count', () => {
  const record = decision({ subject: 'look', groups: ['hr', 'support', 'told'], labelBefore: trusted, labelAfter: trusted })
  const forGroup = (group: string): ConfigInput => ({
    ...written,
    groups: { told: {}, hr: {}, support: {} },
    grants: [{ groups: [group], tools: ['*'] }],
  })
  expect(replay([record], forGroup('told'))).toMatchObject({ changed: 0 })
  expect(replay([record], { ...forGroup('hr'), principals: { ...people } })).toMatchObject({ changed: 0 })
  expect(replay([{ ...record, principal: 'bob', groups: ['support'] }], forGroup('hr'))).toMatchObject({
    changes: [{ principal: 'bob', becomes: 'refuse', decidedBy: ['grants (grant)'] }],
  })
})

test('a rule over arguments is not known of the calls it may be about, and of no others', () => {
  const rule = { name: 'new', when: "tool.name == 'look' && args.n == 1", verdict: 'deny' as const, reason: 'No.' }
  const released = (subject: string) => decision({ subject, labelBefore: trusted, labelAfter: trusted })
  const draft: ConfigInput = { ...written, rules: [...(written.rules ?? []), rule] }
  expect(replay([released('look')], draft)).toMatchObject({ notKnown: 1, unknown: [{ tool: 'look', asks: [{ source: 'rule new' }] }] })
  expect(replay([released('ask')], draft)).toMatchObject({ notKnown: 0, same: 1 })
})
