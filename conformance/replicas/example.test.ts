/** `examples/three-replicas/run.sh` does what its README says. */
import { execFile, spawnSync } from 'node:child_process'
import { join } from 'node:path'
import { promisify } from 'node:util'
import { expect, test } from 'vitest'
import { hasServices } from '../harness/replicas.ts'
import { repositoryRoot } from '../harness/gateway-process.ts'

const run = promisify(execFile)
const has = (program: string): boolean => spawnSync('which', [program]).status === 0
const canRun = hasServices && ['haproxy', 'curl', 'setpriv', 'redis-server'].every(has)

test.skipIf(!canRun)('three replicas behind HAProxy answer, go on when one is killed, and their log verifies', async () => {
  // Six ports in a row, where nobody is asked for one.
  const base = 20_000 + 10 * (process.pid % 1000)
  const { stdout } = await run(join(repositoryRoot, 'examples/three-replicas/run.sh'), [], {
    env: { ...process.env, BASE_PORT: String(base), PATH: `${join(repositoryRoot, 'node_modules/.bin')}:${process.env.PATH ?? ''}` },
  })
  expect([...stdout.matchAll(/^a call through the replica at \d+: answered$/gm)]).toHaveLength(3)
  // What was under way at the one that was killed fails: that is at most one, because calls come one after the other.
  expect(Number(/^30 calls through HAProxy: (\d+) answered$/m.exec(stdout)?.[1])).toBeGreaterThanOrEqual(29)
  expect(stdout).toMatch(/^ok: \d+ records/m)
  expect(stdout).not.toMatch(/^(?:warning|PROBLEM)/m)
})
