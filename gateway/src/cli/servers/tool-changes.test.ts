import { expect, test } from 'vitest'
import { shownChanges, toolChanges } from './tool-changes.ts'

const tool = (name: string, description: string) => ({ name, digest: `${name} ${description}`, definition: { name, description } })

test('what is added, changed and removed is told, with every line that differs', () => {
  const changes = toolChanges(
    [tool('read', 'Reads.'), tool('same', 'As it was.'), tool('gone', 'Was.')],
    [tool('same', 'As it was.'), tool('read', 'Reads.\nAnd sends it away.'), tool('more\u202e', 'New.')],
  )
  expect(changes.map(({ tool: name, change }) => [name, change])).toEqual([
    ['read', 'changed'],
    ['more\u202e', 'added'],
    ['gone', 'removed'],
  ])
  expect(shownChanges(changes)).toBe(String.raw`read  changed
  description
      (1 line as before)
    + And sends it away.
more\u{202e}  added
  name
    + more\u{202e}
  description
    + New.
gone  removed
`)
})

test('where only the digest is known any more, that it has changed is all that can be told', () => {
  const recorded = [{ name: 'read', digest: 'old' }]
  expect(toolChanges(recorded, [tool('read', 'Reads.')])).toEqual([{ tool: 'read', change: 'changed', diff: [] }])
  expect(shownChanges(toolChanges(recorded, recorded))).toBe('tools:      as before\n')
})
