/** As whom a server runs, by what it has to read and write; and what a real one then can read. As root, because an ordinary user has no choice. */
import { execFileSync } from 'node:child_process'
import { chmodSync, chownSync, mkdirSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { afterAll, describe, expect, test } from 'vitest'
import { createBubblewrapRunner } from './bubblewrap.ts'
import { freshFolder, removeFolders, runProgram } from './sandbox.fixture.ts'
import { chooseSandboxUser } from './sandbox-user.ts'

afterAll(removeFolders)

const isRoot = process.getuid?.() === 0
const runner = createBubblewrapRunner({ nodePath: process.execPath })
const missing = await runner.available()

test('an ordinary user stays who it is', () => {
  expect(chooseSandboxUser(1000, [], ['/']).user).toEqual({ kind: 'own', uid: 1000, gid: 1000 })
})

describe.skipIf(!isRoot)('as root', () => {
  const kindOf = (code: readonly string[], mounts: Parameters<typeof chooseSandboxUser>[1] = []): unknown => {
    const { user, isCountable, release } = chooseSandboxUser(0, mounts, code)
    release()
    return [user.kind, user.uid >= 61_184, isCountable]
  }

  test('a server is nobody of the host, unless its code is closed to all but its owner', () => {
    const open = freshFolder()
    chmodSync(open, 0o755)
    expect(kindOf([open])).toEqual(['dropped', true, true])
    const closed = freshFolder()
    chmodSync(closed, 0o700)
    expect(kindOf([open, closed])).toEqual(['mapped', false, false])
    chownSync(closed, 4321, 4321)
    expect(kindOf([open, closed])).toEqual(['dropped', false, false])
    expect(kindOf([open, join(open, 'absent')])).toEqual(['dropped', true, true])
  })

  test('what it writes comes first', () => {
    const closed = freshFolder()
    chmodSync(closed, 0o700)
    const mount = { source: '/srv/a', target: '/srv/a', write: true, uid: 4321, gid: 4321 }
    expect(kindOf([closed], [mount])).toEqual(['dropped', false, false])
    expect(kindOf([], [{ ...mount, write: false }])).toEqual(['dropped', true, true])
  })
})

/** A project as a shell with `umask 077` leaves it. */
function closedProject(): string {
  const folder = freshFolder()
  mkdirSync(join(folder, 'node_modules', 'server', 'lib'), { recursive: true })
  writeFileSync(join(folder, 'node_modules', 'server', 'index.mjs'), `import { word } from './lib/word.mjs'\nconsole.log(word)`)
  writeFileSync(join(folder, 'node_modules', 'server', 'lib', 'word.mjs'), `export const word = process.getuid()`)
  execFileSync('chmod', ['-R', 'go=', folder])
  return folder
}

describe.skipIf(missing !== undefined)('a server of a closed folder', () => {
  test('is started, as nobody inside', async () => {
    const entry = join(closedProject(), 'node_modules', 'server', 'index.mjs')
    const { out, err } = await runProgram(runner, ['node', entry])
    expect({ out, err }).toEqual({ out: '1000\n', err: '' })
  })

  test('is started, closed as only its package may be', async () => {
    const folder = closedProject()
    for (const path of [folder, join(folder, 'node_modules')]) chmodSync(path, 0o755)
    const { out, err } = await runProgram(runner, ['node', join(folder, 'node_modules', 'server', 'index.mjs')])
    expect({ out, err }).toEqual({ out: '1000\n', err: '' })
  })

  test('gets no capability and no limit of the machine for it', async () => {
    const folder = closedProject()
    const entry = join(folder, 'node_modules', 'server', 'index.mjs')
    writeFileSync(
      entry,
      `import fs from 'node:fs'
       const attempt = (path, text) => { try { fs.writeFileSync(path, text); return 'written' } catch (error) { return error.code } }
       console.log(JSON.stringify([/CapEff:\\s*0+\\n/.test(fs.readFileSync('/proc/self/status', 'utf8')), attempt('${entry}', 'x'), attempt('/proc/sys/kernel/core_pattern', 'x'), attempt('/etc/passwd', 'x')]))`,
    )
    const { out } = await runProgram(runner, ['node', entry])
    expect(JSON.parse(out)).toEqual([true, 'EROFS', 'EROFS', 'EROFS'])
  })

  test.skipIf(!isRoot)('that belongs to somebody runs as that one', async () => {
    const folder = closedProject()
    execFileSync('chown', ['-R', '4321:4321', folder])
    const { out, err } = await runProgram(runner, ['node', join(folder, 'node_modules', 'server', 'index.mjs')])
    expect({ out, err }).toEqual({ out: '4321\n', err: '' })
  })
})

describe.skipIf(missing !== undefined)('a repository that belongs to somebody else', () => {
  const git = (folder: string): string[] => ['/usr/bin/git', '-C', folder, 'log', '--format=%s']
  const repository = (): string => {
    const folder = freshFolder()
    const made = join(folder, 'deep', 'repository')
    mkdirSync(made, { recursive: true })
    const run = (...args: string[]) => execFileSync('git', ['-C', made, '-c', 'user.name=a', '-c', 'user.email=a@example.org', ...args])
    run('init', '-q')
    run('commit', '-q', '--allow-empty', '-m', 'the first')
    execFileSync('chmod', ['-R', 'a+rX', folder])
    if (isRoot) execFileSync('chown', ['-R', '4321:4321', folder])
    return folder
  }

  test.each([false, true])('is read by git where it is mounted, written: %s', async (write) => {
    const folder = repository()
    const { out, err } = await runProgram(runner, git(join(folder, 'deep', 'repository')), { mounts: [{ path: folder, write }] })
    expect({ out, err }).toEqual({ out: 'the first\n', err: '' })
  })
})
