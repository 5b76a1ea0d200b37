import type { DecisionRecord } from '@turnward/contract/decision'
import { expect, test } from 'vitest'
import { decision } from './records.fixture.ts'
import { ToolUseCounter } from './tool-use.ts'

const gap = { kind: 'trust', detail: 'it needs a session of trust `trusted`', source: 'contract mail__send' } as const
const observed: Partial<DecisionRecord> = { verdict: 'deny', action: 'observe', gaps: [gap] }

test('a call counts once, proposed and made, with why it would have been refused and where', () => {
  const counter = new ToolUseCounter()
  const call: Partial<DecisionRecord> = { toolCallId: 'call_1', turn: 'turn_1', ...observed }
  counter.add(decision({ kind: 'tool_call', ...call }))
  counter.add(decision({ kind: 'tool_proposal', ...call }))
  counter.add(decision({ toolCallId: 'call_1', turn: 'turn_2', ...observed }))
  counter.add(decision({ toolCallId: 'call_2', turn: 'turn_2' }))
  counter.add(decision({ subject: 'a__b', toolCallId: 'call_3', verdict: 'deny', action: 'refuse', gaps: [gap] }))
  expect(counter.uses()).toEqual([
    {
      tool: 'mail__send',
      calls: 3,
      observed: 2,
      refused: 0,
      gaps: [{ ...gap, count: 2, turns: ['turn_1', 'turn_2'] }],
      labels: expect.any(Array),
    },
    { tool: 'a__b', calls: 1, observed: 0, refused: 1, gaps: [], labels: expect.any(Array) },
  ])
})

test('what its sessions had read by then is counted, and that it is not on record', () => {
  const counter = new ToolUseCounter()
  const after = (labelBefore: DecisionRecord['labelBefore'], toolCallId: string) => counter.add(decision({ labelBefore, toolCallId }))
  after({ trust: 'untrusted', audience: [['alice']] }, 'a')
  after({ trust: 'untrusted', audience: [['@hr']] }, 'b')
  after({ trust: 'untrusted', audience: [] }, 'c')
  after(null, 'd')
  expect(counter.uses()[0]?.labels).toEqual([
    { trust: 'untrusted', isRestricted: true, count: 2 },
    { trust: 'untrusted', isRestricted: false, count: 1 },
    { trust: null, isRestricted: false, count: 1 },
  ])
})

test('outcomes, lists and tools nobody granted are no use of a tool', () => {
  const counter = new ToolUseCounter()
  counter.add(decision({ type: 'outcome' }))
  counter.add(decision({ kind: 'tool_list' }))
  counter.add(decision({ kind: 'admission' }))
  counter.add(decision({ action: 'refuse', gaps: [{ kind: 'grant', detail: 'the tool is not granted', source: 'grants' }] }))
  expect(counter.uses()).toEqual([])
})
