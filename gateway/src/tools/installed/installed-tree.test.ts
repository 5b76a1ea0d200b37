import { mkdir, mkdtemp, rm, symlink, writeFile } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { beforeEach, expect, test } from 'vitest'
import { checkInstalled, recordName, whyNotAsInstalled } from './installed-tree.ts'
import { treeDigest } from './tree-digest.ts'

let folder: string
beforeEach(async () => {
  folder = await mkdtemp(join(tmpdir(), 'turnward-installed-'))
  await mkdir(join(folder, 'node_modules/a'), { recursive: true })
  await writeFile(join(folder, 'node_modules/a/index.js'), 'a')
  await writeFile(join(folder, recordName), '{}')
  return () => rm(folder, { recursive: true, force: true })
})
const named = async (at: string | undefined = folder) => ({
  name: 'a',
  installed: { package: 'npm:a@1.0.0', tree: await treeDigest(folder, [recordName]), folder: at },
})

test('a server is as it was installed whatever our own record of it says, and one that was not installed is not judged', async () => {
  const server = await named()
  await writeFile(join(folder, recordName), '{"tree":"another"}')
  expect(await whyNotAsInstalled(server)).toBeUndefined()
  await checkInstalled(server)
  expect(await whyNotAsInstalled({})).toBeUndefined()
})

test.each<[string, RegExp, () => Promise<unknown>]>([
  ['other contents', /not those that were installed/, () => writeFile(join(folder, 'node_modules/a/index.js'), 'b')],
  ['one more file', /not those that were installed/, () => writeFile(join(folder, '.npmrc'), '')],
  [
    'a link in the place of a file',
    /not those/,
    () => rm(join(folder, 'node_modules/a/index.js')).then(() => symlink('/etc/hostname', join(folder, 'node_modules/a/index.js'))),
  ],
  ['nothing there', /is not there/, () => rm(folder, { recursive: true })],
])('%s: it is not started', async (_what, why, change) => {
  const server = await named()
  await change()
  expect(await whyNotAsInstalled(server)).toMatch(why)
  await expect(checkInstalled(server)).rejects.toMatchObject({
    code: 'mcp.server_changed',
    fix: expect.stringContaining('turnward servers update a'),
  })
})

test('a command that runs nothing of what was installed is not started as that', async () => {
  await expect(checkInstalled({ ...(await named()), installed: { ...(await named()).installed, folder: undefined } })).rejects.toThrow(
    'runs nothing of npm:a@1.0.0',
  )
})
