import { expect, test } from 'vitest'
import { casesOf, nameOf, sampleOf, sharedOut, type SuiteContents } from './cases.ts'

const contents: SuiteContents = {
  userTasks: ['user_task_0', 'user_task_1', 'user_task_2'],
  injections: [
    { id: 'injection_task_0', acts: true },
    { id: 'injection_task_1', acts: false },
    { id: 'injection_task_2', acts: true },
  ],
  substitutions: [{ userTask: 'user_task_1', tool: 'send_money', argument: 'recipient', other: 'US1' }],
}
const cases = casesOf('banking', contents)

test('every task is there alone and with every instruction that a call can carry out', () => {
  expect(cases.filter(({ injection }) => injection !== undefined)).toHaveLength(6)
  expect(cases.map(nameOf)).toContain('banking/user_task_1/value_0')
  expect(cases.map(nameOf).join()).not.toContain('injection_task_1')
})

test('a sample has every task, every value and another instruction each time', () => {
  expect(sampleOf(cases).map(nameOf)).toEqual([
    'banking/user_task_0',
    'banking/user_task_1',
    'banking/user_task_2',
    'banking/user_task_1/value_0',
    'banking/user_task_0/injection_task_0',
    'banking/user_task_1/injection_task_2',
    'banking/user_task_2/injection_task_0',
  ])
})

test('parts have every case once', () => {
  const parts = sharedOut(cases, 3)
  expect(parts).toHaveLength(3)
  expect(parts.flat().map(nameOf).toSorted()).toEqual(cases.map(nameOf).toSorted())
})
