/** The runner without a sandbox: what it still holds. */
import { existsSync, mkdirSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { afterAll, describe, expect, test } from 'vitest'
import { createProcessRunner } from './process.ts'
import {
  firstLine,
  freshFolder,
  removeFolders,
  processesWith,
  recordingLogger,
  runCode,
  startCode,
  stdioServer,
} from './sandbox.fixture.ts'

afterAll(removeFolders)

const runner = createProcessRunner({ nodePermissions: false })

describe('a server without a sandbox', () => {
  test('is warned about, and gets only the environment that is listed', async () => {
    const { out, lines } = await runCode(runner, 'console.log(Object.keys(process.env).sort().join())', { env: { LISTED: '1' } })
    expect(out).toBe('HOME,LANG,LISTED,PATH,PROBE_TOKEN,TMPDIR\n')
    expect(lines).toContainEqual(expect.objectContaining({ level: 'warn', message: 'this MCP server runs without a sandbox' }))
  })

  test('is ended with its whole process group', async () => {
    const { running, token, workDir } = await startCode(
      runner,
      `
      import { spawn } from 'node:child_process'
      process.on('SIGTERM', () => {})
      spawn('sleep', ['1000']).once('spawn', () => console.log('up'))
      setInterval(() => {}, 1000)`,
    )
    await firstLine(running)
    expect(processesWith(token)).toHaveLength(2)
    await running.stop(20)
    expect(await running.ended).toBe('signal SIGKILL')
    expect(processesWith(token)).toEqual([])
    expect(existsSync(workDir)).toBe(false)
  })

  test('leaves no child behind when it ends by itself', async () => {
    const { ended, token } = await runCode(
      runner,
      `
      import { spawn } from 'node:child_process'
      spawn('sleep', ['1000'], { stdio: 'ignore' }).once('spawn', () => process.exit(4))`,
    )
    expect(ended).toBe('exit 4')
    expect(processesWith(token)).toEqual([])
  })
})

describe('a server under the permission model of Node', () => {
  const held = createProcessRunner({ nodePermissions: true })

  test('reads its own code and its mounts, writes what it may, and starts nothing', async () => {
    const base = freshFolder()
    for (const name of ['code', 'read', 'write', 'other']) mkdirSync(join(base, name))
    for (const name of ['read', 'other']) writeFileSync(join(base, name, 'a.txt'), name)
    const entry = join(base, 'code', 'server.mjs')
    writeFileSync(
      entry,
      `
      import fs from 'node:fs'
      import { spawnSync } from 'node:child_process'
      const attempt = (run) => { try { return run() ?? 'ok' } catch (error) { return error.code } }
      console.log(JSON.stringify([
        attempt(() => fs.readFileSync('${base}/read/a.txt', 'utf8')), attempt(() => fs.readFileSync('${base}/other/a.txt', 'utf8')),
        attempt(() => fs.writeFileSync('${base}/write/a.txt', 'x')), attempt(() => fs.writeFileSync('${base}/read/b.txt', 'x')), attempt(() => spawnSync('true')),
      ]))`,
    )
    const { logger } = recordingLogger()
    const running = await held.start({
      server: stdioServer(['node', entry], { mounts: [{ path: join(base, 'read') }, { path: join(base, 'write'), write: true }] }),
      workDir: join(freshFolder(), 'work'),
      logger,
    })
    running.stderr.resume()
    expect(JSON.parse(await firstLine(running))).toEqual(['read', 'ERR_ACCESS_DENIED', 'ok', 'ERR_ACCESS_DENIED', 'ERR_ACCESS_DENIED'])
    await running.ended
  })

  test('is refused when it is not a Node script, since nothing would hold it', async () => {
    const { logger } = recordingLogger()
    await expect(held.start({ server: stdioServer(['sleep', '1']), workDir: join(freshFolder(), 'work'), logger })).rejects.toMatchObject({
      code: 'sandbox.unavailable',
    })
  })
})
