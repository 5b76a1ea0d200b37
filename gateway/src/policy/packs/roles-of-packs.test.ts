import { expect, test } from 'vitest'
import type { PackArgument } from './pack.ts'
import { rolesOf } from './roles-of-packs.ts'

const kept = { role: 'content', trust: 'trusted' } as const
const said = { role: 'content', links: 'trusted' } as const
const together = { role: 'destination', with: { path: ['b'] } } satisfies PackArgument

test.each<[PackArgument, PackArgument, PackArgument]>([
  ['content', said, said],
  [said, kept, kept],
  [kept, together, together],
  [together, 'destination', 'destination'],
  ['content', 'authority', 'authority'],
])('of %j and %j the strictest counts, in any order', (one, other, strictest) => {
  const wanted = rolesOf([{ a: strictest }], 1)
  expect(rolesOf([{ a: one }, { a: other }], 1)).toEqual(wanted)
  expect(rolesOf([{ a: other }, { a: one }], 1)).toEqual(wanted)
})

test('what one of them does not name is an authority, and none of them asks for nothing', () => {
  const { args } = rolesOf([{ a: 'content', b: 'content' }, { a: 'content' }], 1)
  expect(args?.named.map(({ name }) => name)).toEqual(['a'])
  expect(args?.others).toMatchObject({ role: 'authority', trust: 1 })
  expect(rolesOf([], 1)).toEqual({})
})
