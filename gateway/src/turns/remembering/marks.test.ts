import { describe, expect, test } from 'vitest'
import { keepOf, readMarks, writtenMarks } from './marks.ts'

const secret = Buffer.alloc(32, 4)
const alice = { principal: { id: 'alice', kind: 'human', groups: [], emails: [] } } as unknown as Parameters<typeof keepOf>[1]
const bob = { principal: { ...alice.principal, id: 'bob' } }
const keep = keepOf(secret, alice, 'files')

function isReadBack(written: readonly string[] | undefined, read: readonly string[] | undefined, below = false): boolean {
  const marks = readMarks(keep, read, below)
  return marks === undefined || writtenMarks(keep, written).some((mark) => marks.includes(mark))
}

describe('what is written is read back', () => {
  test.each([
    ['under the same name', 'todo', 'todo'],
    ['however the name is written', 'Todo ', 'todo'],
    ['in wide letters', 'ｔｏｄｏ', 'todo'],
    ['by a path with detours', '/data/./x/../notes//a.md/', '/data/notes/a.md'],
    ['by a path that climbs above its beginning', '/../data/a.md', '/data/a.md'],
    ['by a path with other slashes', 'C:\\Data\\a.md', 'c:/data/a.md'],
    ['by an address of a file', 'file:///data/a.md', '/data/a.md'],
    ['by a path without its beginning', '/data/notes/a.md', 'notes/a.md'],
    ['by a name alone', '/data/notes/a.md', 'a.md'],
    ['by a path whose beginning was left out when it was written', './a.md', '/data/notes/a.md'],
    ['by a path from a folder nearby', '../notes/a.md', '/data/notes/a.md'],
    ['by two paths that begin in different folders', 'notes/a.md', 'data/notes/a.md'],
    ['from a home', '~/notes/a.md', '/home/alice/notes/a.md'],
    ['from the home of somebody', '~alice/notes/a.md', '/home/alice/notes/a.md'],
    ['from a folder with a name', '${HOME}/notes/a.md', '/home/alice/notes/a.md'],
    ['by what stands for several', '/data/a.md', '/data/*.md'],
    ['wherever it went', '/data/*', 'anything'],
    ['wherever it went when nothing is there', '/', 'anything'],
    ['from everything', 'todo', '.'],
    ['from what is nested too deeply', 'todo', 'x/'.repeat(70)],
  ])('%s', (_how, written, read) => {
    expect(isReadBack([written], [read])).toBe(true)
    expect(isReadBack([read], [written])).toBe(true)
    expect(isReadBack(['other', written], [read])).toBe(true)
    expect(isReadBack([written], ['other', read])).toBe(true)
    expect(isReadBack([written], undefined)).toBe(true)
    expect(isReadBack(undefined, [read])).toBe(true)
  })

  test.each([
    ['in a folder', '/data/notes/a.md', '/data/notes'],
    ['in a folder above', '/data/notes/a.md', '/data'],
    ['at the root', '/data/notes/a.md', '/'],
    ['in a folder that cannot be told', '/data/notes/a.md', 'src'],
    ['in any folder, when nobody can say where it was written', 'notes/a.md', '/elsewhere'],
  ])('%s, by what reads folders', (_where, written, read) => {
    expect(isReadBack([written], [read], true)).toBe(true)
  })

  test.each([
    ['under another name', 'todo', 'todos', false],
    ['under a part of a name', 'todo', 'to/do', false],
    ['in another folder', '/data/notes/a.md', '/data/other/a.md', false],
    ['in a folder, by what reads files', '/data/notes/a.md', '/data/notes', false],
    ['in another folder, by what reads folders', '/data/notes/a.md', '/data/other', true],
    ['in a folder whose name begins alike', '/data/notes2/a.md', '/data/notes', true],
  ])('not %s', (_how, written, read, below) => {
    expect(isReadBack([written], [read], below)).toBe(false)
  })
})

test('what servers keep is everybody’s, what clients keep is its person’s, and no mark says what it is of', () => {
  const mark = (owner: typeof alice, server: string) => writtenMarks(keepOf(secret, owner, server), ['todo']).join(' ')
  expect(mark(alice, 'files')).toBe(mark(bob, 'files'))
  expect(mark(alice, 'client')).not.toBe(mark(bob, 'client'))
  expect(mark(alice, 'files')).not.toBe(mark(alice, 'notes'))
  expect(writtenMarks(keepOf(Buffer.alloc(32, 5), alice, 'files'), ['todo']).join(' ')).not.toBe(mark(alice, 'files'))
  expect(mark(alice, 'files')).not.toContain('todo')
})
