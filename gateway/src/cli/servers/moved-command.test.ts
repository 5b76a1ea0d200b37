import { expect, test } from 'vitest'
import { movedCommand } from './moved-command.ts'

const folder = '/data/installed/notes/1.0.0'
const moved = (written: readonly string[], program: readonly string[]) =>
  movedCommand({
    written,
    command: written.map((part) => (part.startsWith('./') ? `/${part.slice(2)}` : part)),
    folder,
    program,
    shown: (path) => `.${path}`,
  })

test('the program moves; options of its interpreter and arguments stay as they are written', () => {
  const old = `.${folder}/a.js`
  expect(moved(['node', old, './notes', '${DIR}'], ['node', '/new/b.js'])).toEqual(['node', './new/b.js', './notes', '${DIR}'])
  expect(moved(['node', '--max-old-space-size=64', old, 'x'], ['node', '/new/b.js'])).toEqual([
    'node',
    '--max-old-space-size=64',
    './new/b.js',
    'x',
  ])
  expect(moved([`.${folder}/venv/bin/serve`, '--utc'], ['/new/venv/bin/serve'])).toEqual(['./new/venv/bin/serve', '--utc'])
})

test('a program of another kind takes the place of the whole program', () => {
  expect(moved(['node', `.${folder}/a.js`, 'x'], ['/new/a'])).toEqual(['./new/a', 'x'])
  const python = `.${folder}/venv/bin/python`
  expect(moved([python, '-m', 'serve', 'x'], ['/new/python', '-m', 'serve2'])).toEqual(['./new/python', '-m', 'serve2', 'x'])
  expect(moved([python, '-m', 'serve', 'x'], ['/new/serve'])).toEqual(['./new/serve', 'x'])
})

test('a command that runs nothing of the folder is not moved', () => {
  expect(moved(['node', './data/installed/notes/1.0.01/a.js'], ['node', '/new/b.js'])).toBeUndefined()
})
