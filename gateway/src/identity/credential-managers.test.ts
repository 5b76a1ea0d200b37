import { describe, expect, test } from 'vitest'
import { managedGroups, ownerManagedBy } from './credential-managers.ts'

const snapshot = {
  groupManagers: new Map([
    ['staff', ['alice', 'bob']],
    ['security', ['alice']],
    ['nobodys', []],
  ]),
}
const person = (id: string, ...roles: readonly ('admin' | 'operator')[]) => ({ id, roles })

describe('the credential of', () => {
  test('nobody in particular is that of whoever asks', () => {
    expect(ownerManagedBy(person('carol'), undefined, snapshot)).toEqual({ person: 'carol' })
  })

  test('a group is for those whom the configuration names, and for whoever administers people', () => {
    expect(ownerManagedBy(person('bob'), 'staff', snapshot)).toEqual({ group: 'staff' })
    expect(ownerManagedBy(person('root', 'admin'), 'staff', snapshot)).toEqual({ group: 'staff' })
    expect(ownerManagedBy(person('root', 'admin'), 'of an issuer', snapshot)).toEqual({ group: 'of an issuer' })
    for (const [who, group] of [
      [person('bob'), 'security'],
      [person('bob'), 'nobodys'],
      [person('bob'), 'of an issuer'],
      [person('carol', 'operator'), 'staff'],
      [person('staff'), 'staff'],
    ] as const)
      expect(() => ownerManagedBy(who, group, snapshot)).toThrow(expect.objectContaining({ code: 'auth.role' }))
  })
})

test('whoever looks after groups is told which', () => {
  expect(['alice', 'bob', 'carol'].map((id) => managedGroups({ id }, snapshot))).toEqual([['staff', 'security'], ['staff'], []])
})
