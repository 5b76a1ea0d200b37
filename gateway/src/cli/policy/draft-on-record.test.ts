import { describe, expect, test } from 'vitest'
import type { LabelCount, ToolUse } from '../../audit/tool-use.ts'
import type { DraftContract } from '../../policy/drafting-contracts.ts'
import { draftOnRecord, onRecordText } from './draft-on-record.ts'

const ranks = ['untrusted', 'trusted']
const label = (trust: string | null, isRestricted: boolean, count: number): LabelCount => ({ trust, isRestricted, count })
const labels = [
  label('trusted', false, 5),
  label('trusted', true, 4),
  label('untrusted', false, 3),
  label('untrusted', true, 2),
  label(null, false, 1),
]
const use: ToolUse = { tool: 's__t', calls: 15, observed: 0, refused: 0, gaps: [], labels }
const output = { trust: 'untrusted', audience: ['$principal'] }
const on = (more: Omit<DraftContract, 'output'>, seen: ToolUse | undefined = use) => draftOnRecord({ output, ...more }, seen, ranks)

describe('of the calls on record a draft would have refused', () => {
  test.each<[string, Omit<DraftContract, 'output'>, object]>([
    ['none when it needs nothing', {}, { refused: 0, notKnown: 0, because: { trust: 0, audience: 0 } }],
    ['those after untrusted reads', { requires: { trust: 'trusted' } }, { refused: 5, notKnown: 1, because: { trust: 5, audience: 0 } }],
    [
      'those with what is not for everybody',
      { requires: { trust: 'trusted', audience: { includes: ['public'] } } },
      { refused: 9, notKnown: 1, because: { trust: 5, audience: 6 } },
    ],
    [
      'no one knows how many that name whom they tell, because arguments are not on record',
      { requires: { audience: { includes: ['$args.to'] } } },
      { refused: 0, notKnown: 7, because: { trust: 0, audience: 0 } },
    ],
  ])('%s', (_what, contract, expected) => {
    expect(on(contract)).toEqual({ calls: 15, ...expected })
  })

  test('nothing of a tool that was never called, and nothing is known of ranks that are gone', () => {
    const { calls, refused, notKnown } = draftOnRecord({ output }, undefined, ranks)
    expect([calls, refused, notKnown]).toEqual([0, 0, 0])
    expect(draftOnRecord({ output, requires: { trust: 'high' } }, use, ['low', 'high'])).toMatchObject({ refused: 0, notKnown: 15 })
  })

  test('said in words', () => {
    expect(onRecordText(on({ requires: { trust: 'trusted', audience: { includes: ['public'] } } }))).toBe(
      'called 15 times; 9 would have been refused (after untrusted reads, with what is not for everybody); of 1 it is not known',
    )
    expect(onRecordText(on({}))).toBe('called 15 times; none would have been refused')
    expect(onRecordText({ calls: 0, refused: 0, because: { trust: 0, audience: 0 }, notKnown: 0 })).toBe('')
  })
})
