import { describe, expect, test } from 'vitest'
import type { Check, Ran } from './suite.ts'
import { judge } from './verdict.ts'

const check = (id: string, status: Check['status'], errorMessage = 'wrong'): Check => ({ id, status, errorMessage })
const ran = (scenarios: Readonly<Record<string, readonly Check[]>>): Ran => new Map(Object.entries(scenarios))
const none = new Map<string, string>()

describe('a lane is as expected', () => {
  test('when every check of every scenario passes', () => {
    const verdict = judge({ ran: ran({ ping: [check('a', 'SUCCESS'), check('b', 'INFO')] }), scored: ['ping'], extras: [], expected: none })
    expect(verdict).toEqual({ passed: 1, total: 1, excluded: [], faults: [] })
  })

  test('when what fails is listed; the scenario does not count as passed', () => {
    const expected = new Map([['ping:b', 'not built yet']])
    const verdict = judge({ ran: ran({ ping: [check('a', 'SUCCESS'), check('b', 'FAILURE')] }), scored: ['ping'], extras: [], expected })
    expect(verdict).toEqual({ passed: 0, total: 1, excluded: [{ scenario: 'ping', check: 'b', reason: 'not built yet' }], faults: [] })
  })

  test('extras are judged but not counted', () => {
    const both = ran({ ping: [check('a', 'SUCCESS')], more: [check('c', 'FAILURE')] })
    const verdict = judge({ ran: both, scored: ['ping'], extras: ['more'], expected: none })
    expect(verdict).toMatchObject({ passed: 1, total: 1, faults: ['more:c: wrong'] })
  })
})

describe('a lane fails', () => {
  test.each(['FAILURE', 'WARNING'] as const)('when a check that is not listed ends as %s', (status) => {
    const expected = new Map([['ping:a', 'not built yet']])
    const both = ran({ ping: [check('a', 'FAILURE'), check('b', status)] })
    expect(judge({ ran: both, scored: ['ping'], extras: [], expected }).faults).toEqual(['ping:b: wrong'])
  })

  test('when a check that is made many times failed once', () => {
    const verdict = judge({
      ran: ran({ ping: [check('a', 'FAILURE'), check('a', 'SUCCESS')] }),
      scored: ['ping'],
      extras: [],
      expected: none,
    })
    expect(verdict).toMatchObject({ passed: 0, faults: ['ping:a: wrong'] })
  })

  test.each(['ping:a', 'ping:gone', 'nowhere:a'])('when %s is listed and does not fail', (line) => {
    const expected = new Map([[line, 'not built yet']])
    const verdict = judge({ ran: ran({ ping: [check('a', 'SUCCESS')] }), scored: ['ping'], extras: [], expected })
    expect(verdict.faults).toEqual([`${line} does not fail: take it off the list of expected failures`])
  })

  test('when a scenario did not run, or checked nothing', () => {
    const verdict = judge({ ran: ran({ idle: [check('a', 'SKIPPED')] }), scored: ['ping', 'idle'], extras: [], expected: none })
    expect(verdict.faults).toEqual(['ping:nothing: the scenario checked nothing', 'idle:nothing: the scenario checked nothing'])
  })

  test('when a scenario passes because it checked less than it does of a server that is right', () => {
    const reference = ran({ ping: [check('a', 'SUCCESS'), check('b', 'SUCCESS')] })
    const verdict = judge({ ran: ran({ ping: [check('a', 'SUCCESS')] }), scored: ['ping'], extras: [], expected: none, reference })
    expect(verdict).toMatchObject({ passed: 0, faults: [expect.stringContaining('ping:b: it was not checked here')] })
  })
})
