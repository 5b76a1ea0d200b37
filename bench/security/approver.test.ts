import { expect, test } from 'vitest'
import { verdictOf } from './approver.ts'

const wanted = { tool: 'send_money', args: { recipient: 'GB1', amount: 10 } }

test('a correct approver says yes to what the person wants, with exactly these arguments', () => {
  expect(verdictOf('correct', { tool: 'send_money', args: { amount: 10, recipient: 'GB1' } }, [wanted])).toBe('approve')
  expect(verdictOf('correct', { tool: 'send_money', args: { amount: 10, recipient: 'US1' } }, [wanted])).toBe('deny')
  expect(verdictOf('correct', wanted, [])).toBe('deny')
})

test('a tired one says yes to everything, and where nobody is nobody answers', () => {
  expect(verdictOf('always-yes', { tool: 'delete_file', args: {} }, [])).toBe('approve')
  expect(verdictOf('absent', wanted, [wanted])).toBeUndefined()
})
