import { chmod, cp, mkdir, mkdtemp, rm, symlink, writeFile } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { beforeEach, expect, test } from 'vitest'
import { treeDigest } from './tree-digest.ts'

let home: string
let tree: string
beforeEach(async () => {
  home = await mkdtemp(join(tmpdir(), 'turnward-tree-'))
  tree = join(home, 'tree')
  await mkdir(join(tree, 'lib'), { recursive: true })
  await writeFile(join(tree, 'lib', 'a.js'), 'a')
  await writeFile(join(tree, 'b.js'), 'b')
  await symlink('lib/a.js', join(tree, 'main'))
  return () => rm(home, { recursive: true, force: true })
})

test('a copy has the same digest, wherever it lies, and whatever is left out at the top', async () => {
  const copy = join(home, 'copy')
  await cp(tree, copy, { recursive: true, verbatimSymlinks: true })
  await writeFile(join(copy, 'note'), 'about it')
  expect(await treeDigest(copy, ['note'])).toBe(await treeDigest(tree))
  expect(await treeDigest(copy)).not.toBe(await treeDigest(tree))
})

test.each<[string, () => Promise<unknown>]>([
  ['other contents', () => writeFile(join(tree, 'b.js'), 'c')],
  ['another file', () => writeFile(join(tree, 'lib', 'c.js'), '')],
  ['another folder', () => mkdir(join(tree, 'empty'))],
  ['a file that became executable', () => chmod(join(tree, 'b.js'), 0o755)],
  ['a file that is gone', () => rm(join(tree, 'b.js'))],
  ['a link that leads elsewhere', () => rm(join(tree, 'main')).then(() => symlink('b.js', join(tree, 'main')))],
])('%s is another digest', async (_what, change) => {
  const before = await treeDigest(tree)
  await change()
  expect(await treeDigest(tree)).not.toBe(before)
})
