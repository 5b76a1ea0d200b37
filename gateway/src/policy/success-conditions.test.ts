import { describe, expect, test } from 'vitest'
import { policyOf, problemsOf } from './written-policy.fixture.ts'

const succeeded = (success: string, text: string, isError?: boolean) =>
  policyOf({ contracts: { pay: { effects: ['paid'], success } } })
    .contractOf('pay')
    ?.succeeded?.({ text, isError })

describe('`success` of a contract', () => {
  test('answers from the text of the result and from whether it is an error', () => {
    expect(succeeded("result.text.startsWith('ok')", 'ok, paid')).toBe(true)
    expect(succeeded("result.text.startsWith('ok')", 'no money')).toBe(false)
    expect(succeeded("!result.is_error && result.text.contains('paid')", 'paid', false)).toBe(true)
    expect(succeeded("!result.is_error && result.text.contains('paid')", 'paid', true)).toBe(false)
  })

  test('is unknown where the dialect cannot say, where the condition errs, and where it is no answer', () => {
    expect(succeeded('!result.is_error', 'paid')).toBe('unknown')
    expect(succeeded('int(result.text) > 0', 'not a number')).toBe('unknown')
    expect(succeeded('result.text', 'true')).toBe('unknown')
    expect(succeeded("result.text.contains('paid')", `${'x'.repeat(1024 * 1024)}paid`)).toBe('unknown')
  })

  test('is known to nobody where a contract declares nothing', () => {
    expect(policyOf({ contracts: { pay: {} } }).contractOf('pay')?.succeeded).toBeUndefined()
  })

  test('is checked when the configuration is read: names, size, syntax', () => {
    const problems = (success: string) => problemsOf({ contracts: { pay: { success } } })
    expect(problems('result.txt == ""')).toEqual(['contracts.pay.success: `result` has no `txt`; did you mean `text`?'])
    expect(problems('args.amount > 1')[0]).toContain('`args` is not a variable of conditions')
    expect(problems('result.text ==')[0]).toContain('cannot be read')
    expect(problems(Array.from({ length: 200 }, () => 'result.is_error').join(' || '))[0]).toContain('max_nodes')
  })
})
