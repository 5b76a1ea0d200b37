/** No transform changes what was decided on, whichever dialect has it under whichever name. */
import { configSchema } from '@turnward/contract/config'
import { describe, expect, test } from 'vitest'
import { configOf, type ConfigInput } from '../invariants/floors.fixture.ts'
import { dialectByName } from '../wire/dialects.ts'
import { checkTransforms, compileTransforms } from './transforms.ts'

type TransformInput = NonNullable<ConfigInput['transforms']>[string]

function problemsOf(transform: TransformInput): string[] {
  const problems: string[] = []
  checkTransforms(configSchema.parse(configOf({ transforms: { one: transform } })), (_path, message) => problems.push(message))
  return problems
}

describe.each(Object.values(dialectByName))('$name', ({ name, settledFields, listField }) => {
  const places = [
    ...settledFields.request.map((field) => ['request', `/${field}`] as const),
    ...settledFields.answer.map((field) => ['response', `/${field}`] as const),
  ]

  test.each(places)('%s %s stays, and so does what stands in it', (on, path) => {
    for (const place of [path, `${path}/0/x`]) {
      expect(problemsOf({ dialects: [name], on, patch: [{ op: 'add', path: place, value: 1 }] })).not.toEqual([])
      expect(problemsOf({ dialects: [name], on, patch: [{ op: 'replace', path: place, expression: '1' }] })).not.toEqual([])
      expect(problemsOf({ dialects: [name], on, patch: [{ op: 'remove', path: place }] })).not.toEqual([])
      expect(problemsOf({ dialects: [name], on, patch: [{ op: 'move', from: '/x', path: place }] })).not.toEqual([])
      expect(problemsOf({ dialects: [name], on, patch: [{ op: 'move', from: place, path: '/x' }] })).not.toEqual([])
    }
  })

  test('what is said, what is on offer and what is asked are among them', () => {
    expect(settledFields.request).toEqual(expect.arrayContaining(['model', 'stream', listField]))
    expect(settledFields.request.some((field) => field === 'tools' || field === 'toolConfig')).toBe(true)
  })

  test('what everybody may set is not', () => {
    for (const path of ['/user', '/metadata/team', '/temperature', '/x_vendor'])
      expect(problemsOf({ dialects: [name], patch: [{ op: 'add', path, value: 1 }] })).toEqual([])
    for (const path of ['/model', '/modelVersion', '/x_vendor'])
      expect(problemsOf({ dialects: [name], on: 'response', patch: [{ op: 'add', path, value: 1 }] })).toEqual([])
  })
})

test('a value as large as it may be is taken, and one character more is not', () => {
  const add = (value: unknown): string[] => problemsOf({ dialects: ['messages'], patch: [{ op: 'add', path: '/x', value }] })
  expect([add('x'.repeat(32_766)), add('x'.repeat(32_767))]).toEqual([[], ['it is longer than 32768 characters']])
  const nested = (levels: number): unknown => (levels === 0 ? 1 : [nested(levels - 1)])
  expect([add(nested(16)).length, add(nested(17)).length]).toEqual([0, 1])
})

test('what is written is of one request: whoever changes it there changes no other', () => {
  const transforms = { one: { dialects: ['messages' as const], patch: [{ op: 'add' as const, path: '/x', value: { a: 1 } }] } }
  const one = compileTransforms(configSchema.parse(configOf({ transforms }))).get('one')
  const made = (): unknown => one?.changes({} as never)[0]
  const first = made() as { value: Record<string, unknown> }
  first.value['a'] = 2
  expect(made()).toEqual({ op: 'add', path: '/x', value: { a: 1 } })
})
