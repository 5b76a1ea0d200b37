import { describe, expect, test } from 'vitest'
import type { DecisionRecord } from '@turnward/contract/decision'
import { formatTurnTree } from './format-tree.ts'
import { decision } from './records.fixture.ts'
import { turnTree } from './tree.ts'

const open = { trust: 'trusted', audience: [] }
const tainted = { trust: 'untrusted', audience: [['@hr', 'alice']] }
const time = 1_700_000_000_000

function record(parts: Partial<DecisionRecord>): DecisionRecord {
  return decision({ time, ...parts })
}

/** A model reads a page, then wants to send mail, which what it read forbids. */
const records: DecisionRecord[] = [
  record({
    id: 'dec_1',
    kind: 'model_call',
    subject: 'gpt-5',
    modelCall: 'mc_1',
    upstream: 'openai',
    credential: 'org',
    hidden: ['db__migrate'],
    labelBefore: open,
    labelAfter: open,
  }),
  record({
    id: 'dec_1',
    type: 'outcome',
    kind: 'model_call',
    subject: 'gpt-5',
    modelCall: 'mc_1',
    outcome: 'ok',
    latencyMs: 1200,
    usage: { inputTokens: 10, outputTokens: 5 },
  }),
  record({ id: 'dec_2', kind: 'tool_proposal', subject: 'web__fetch', modelCall: 'mc_1', toolCallId: 'call_1' }),
  record({
    id: 'dec_3',
    time: time + 1,
    kind: 'tool_call',
    subject: 'web__fetch',
    toolCallId: 'call_1',
    gateway: 'main',
    ticket: 'matched',
    credential: 'server:web',
  }),
  record({ id: 'dec_3', type: 'outcome', kind: 'tool_call', subject: 'web__fetch', outcome: 'ok', latencyMs: 300 }),
  record({ id: 'dec_4', time: time + 2, kind: 'admission', subject: 'web__fetch', labelBefore: open, labelAfter: tainted }),
  record({
    id: 'dec_5',
    time: time + 3,
    kind: 'model_call',
    subject: 'gpt-5',
    modelCall: 'mc_2',
    upstream: 'openai',
    labelBefore: tainted,
    labelAfter: tainted,
  }),
  record({
    id: 'dec_6',
    time: time + 4,
    kind: 'tool_proposal',
    subject: 'mail__send',
    modelCall: 'mc_2',
    toolCallId: 'call_2',
    verdict: 'deny',
    action: 'refuse',
    reason: 'the session has read untrusted content',
    rules: ['contract mail__send'],
    gaps: [{ kind: 'trust', detail: 'needs trusted, has untrusted', source: 'contract mail__send' }],
    remedies: [{ kind: 'isolate', detail: 'read the page in a session of its own' }],
  }),
  record({ id: 'dec_7', time: time + 5, kind: 'tool_call', subject: 'crm__get', toolCallId: null, ticket: 'none' }),
]

describe('the tree of a turn', () => {
  const tree = turnTree(records)

  test('has its model calls with how they ended', () => {
    expect(tree.modelCalls).toMatchObject([
      {
        modelCall: 'mc_1',
        upstream: 'openai',
        credential: 'org',
        outcome: 'ok',
        latencyMs: 1200,
        usage: { inputTokens: 10 },
        hidden: ['db__migrate'],
      },
      { modelCall: 'mc_2', outcome: undefined },
    ])
  })

  test('has what each proposed, and what ran of it', () => {
    expect(tree.modelCalls[0]?.proposals).toMatchObject([
      { subject: 'web__fetch', ran: [{ decision: 'dec_3', outcome: 'ok', ticket: 'matched' }] },
    ])
    expect(tree.modelCalls[1]?.proposals).toMatchObject([{ subject: 'mail__send', action: 'refuse', ran: [] }])
  })

  test('has the calls nobody proposed', () => {
    expect(tree.otherCalls).toMatchObject([{ subject: 'crm__get', ticket: 'none' }])
  })

  test('has where the label became more restrictive, and what it is now', () => {
    expect(tree.labels).toEqual([{ time: time + 2, decision: 'dec_4', subject: 'web__fetch', before: open, after: tainted }])
    expect(tree.label).toEqual(tainted)
  })

  test('has what was refused, with rule and remedy', () => {
    expect(tree.refused).toMatchObject([{ subject: 'mail__send', rules: ['contract mail__send'], remedies: [{ kind: 'isolate' }] }])
  })

  test('joins a call without an id to its proposal only through a ticket', () => {
    const proposal = record({ kind: 'tool_proposal', subject: 'a__b', modelCall: 'mc_1' })
    const call = (ticket: 'matched' | 'none') => record({ kind: 'tool_call', subject: 'a__b', ticket })
    expect(turnTree([proposal, call('matched')]).otherCalls).toMatchObject([{ subject: 'a__b', ran: [{ subject: 'a__b' }] }])
    expect(turnTree([proposal, call('none')]).otherCalls).toHaveLength(2)
  })

  test('of nothing is empty', () => {
    expect(turnTree([])).toMatchObject({ turn: null, modelCalls: [], otherCalls: [], labels: [], refused: [], label: null })
    expect(formatTurnTree(turnTree([]))).toBe('no turn  nobody\n')
  })
})

describe('the tree as text', () => {
  test('reads like this', () => {
    expect(formatTurnTree(turnTree(records))).toBe(`turn_1  alice
session ses_1  key ci
2023-11-14T22:13:20.000Z  5 ms  2 model calls, 3 tool calls, 1 refused
├─ model call  gpt-5 → openai  ✓ released  ok  1.2 s  10 → 5 tokens  credential org
│  ├─ hidden  db__migrate
│  └─ proposed  web__fetch  ✓ released
│     └─ ran  web__fetch  at main  ✓ released  ok  300 ms  credential server:web  ticket matched
├─ label  web__fetch: trusted, readable by public → untrusted, readable by @hr or alice
├─ model call  gpt-5 → openai  ✓ released  credential none
│  └─ proposed  mail__send  ✗ refused
│     ├─ why  the session has read untrusted content
│     ├─ missing  trust: needs trusted, has untrusted (contract mail__send)
│     ├─ decided by  contract mail__send
│     └─ remedy  isolate: read the page in a session of its own
├─ tool call  crm__get  ✓ released  credential none  ticket none
└─ label now  untrusted, readable by @hr or alice
`)
  })

  test('says who was asked at once, and has how it ended where that was answered', () => {
    const call = { id: 'dec_1', kind: 'model_call', subject: 'gpt-5' } as const
    const text = formatTurnTree(
      turnTree([
        record({ ...call, upstream: 'here' }),
        record({ ...call, upstream: 'there' }),
        record({ ...call, type: 'outcome', upstream: 'here', outcome: 'ok', hedged: [{ asked: ['here', 'there'], won: 'here' }] }),
      ]),
    )
    expect(text).toMatch(
      /gpt-5 → here .* ok .*\n.*asked at once {2}here, there: here began first\n.*gpt-5 → there .* released {2}credential none\n/,
    )
  })

  test('lets no control character of a name through to the terminal', () => {
    const text = formatTurnTree(turnTree([record({ kind: 'tool_call', subject: 'evil\u001b[2J\r\n\u202e\u2028tool' })]))
    expect(text).toContain('evil\u{fffd}[2J')
    expect(text.replaceAll('\n', '')).not.toMatch(/[\p{Cc}\p{Cf}\p{Zl}]/u)
    expect(text.split('\n')).toHaveLength(5)
  })
})
