/** A group of version 2 that is handed over, with whatever controller the machine has to give: as root, who can hand one over. */
import { spawn } from 'node:child_process'
import { once } from 'node:events'
import { chownSync, existsSync, mkdirSync, readFileSync, readdirSync, rmdirSync, writeFileSync } from 'node:fs'
import { createInterface } from 'node:readline'
import { join } from 'node:path'
import { afterAll, describe, expect, test } from 'vitest'
import { gatewayGroup, openDelegated } from './delegated-cgroup.ts'
import { freshFolder, removeFolders } from './sandbox.fixture.ts'

const mount = ['/sys/fs/cgroup', '/sys/fs/cgroup/unified'].find((folder) => existsSync(join(folder, 'cgroup.controllers')))
const words = (path: string): string[] => readFileSync(path, 'utf8').trim().split(/\s+/).filter(Boolean)
const controller = mount === undefined ? undefined : handedDown(mount)
if (controller === undefined)
  console.warn('delegated cgroups are not tested: there is no controller of version 2 that could be handed over')

/** Only root can hand a controller over, and only one that is there. */
function handedDown(root: string): string | undefined {
  const name = words(join(root, 'cgroup.controllers'))[0]
  if (process.getuid?.() !== 0 || name === undefined) return undefined
  try {
    writeFileSync(join(root, 'cgroup.subtree_control'), `+${name}`, { flag: 'r+' })
    return name
  } catch {
    return undefined
  }
}

const group = join(mount ?? '/', `turnward-test-${process.pid}`)
const user = 4321

afterAll(() => {
  for (const folder of [join(group, gatewayGroup), group]) if (existsSync(folder)) rmdirSync(folder)
  removeFolders()
})

/** A shell in the group that becomes the ordinary user's gateway, and says what came of it. */
const gatewayCode = `
  import { spawn } from 'node:child_process'
  import { openDelegated } from ${JSON.stringify(new URL('./delegated-cgroup.ts', import.meta.url).href)}
  const child = spawn('sleep', ['1000'], { stdio: 'ignore' })
  child.once('spawn', () => {
    const opened = openDelegated(process.env.GROUP, [process.env.CONTROLLER])
    console.log(JSON.stringify({ opened, again: openDelegated(process.env.GROUP, [process.env.CONTROLLER]), pids: [process.pid, child.pid] }))
  })
  process.stdin.once('end', () => { child.kill('SIGKILL'); process.exit() }).resume()`

function startIn(folder: string, before = ''): ReturnType<typeof spawn> {
  const start = `echo $$ > ${folder}/cgroup.procs; ${before} exec setpriv --reuid ${user} --regid ${user} --clear-groups ${process.execPath} --input-type=module -e "$CODE"`
  return spawn('/bin/sh', ['-c', start], {
    stdio: ['pipe', 'pipe', 'inherit'],
    env: { PATH: process.env.PATH, CODE: gatewayCode, GROUP: folder, CONTROLLER: controller },
  })
}

async function told(child: ReturnType<typeof spawn>): Promise<Record<string, unknown>> {
  if (child.stdout === null) throw new Error('no output')
  for await (const line of createInterface({ input: child.stdout })) return JSON.parse(line) as Record<string, unknown>
  throw new Error('it ended without a word')
}

describe.skipIf(controller === undefined)('a group that was handed to an ordinary user', () => {
  const handOver = (): void => {
    if (!existsSync(group)) mkdirSync(group)
    for (const path of [group, ...['cgroup.procs', 'cgroup.subtree_control', 'cgroup.threads'].map((file) => join(group, file))])
      chownSync(path, user, user)
  }

  test('bounds what is below it: the gateway and its children move aside first', async () => {
    handOver()
    const gateway = startIn(group)
    const { opened, again, pids } = await told(gateway)
    expect({ opened, again }).toEqual({ opened: true, again: true })
    expect(words(join(group, 'cgroup.subtree_control'))).toContain(controller)
    expect(words(join(group, 'cgroup.procs'))).toEqual([])
    expect(
      words(join(group, gatewayGroup, 'cgroup.procs'))
        .map(Number)
        .sort(),
    ).toEqual((pids as number[]).sort())
    gateway.stdin?.end()
    await once(gateway, 'close')
    await expect.poll(() => words(join(group, gatewayGroup, 'cgroup.procs'))).toEqual([])
    writeFileSync(join(group, 'cgroup.subtree_control'), `-${controller}`)
    rmdirSync(join(group, gatewayGroup))
  })

  test('is left as it is where somebody else is in it', async () => {
    handOver()
    // Its parent ends, so that it is of nobody's line.
    const gateway = startIn(group, '(sleep 1000 & echo $! > /dev/null) ;')
    const { opened, pids } = await told(gateway)
    const left = words(join(group, 'cgroup.procs')).map(Number)
    const below = readdirSync(group)
    gateway.kill('SIGKILL')
    await once(gateway, 'exit')
    for (const folder of [group, join(group, gatewayGroup)])
      if (existsSync(folder)) for (const pid of words(join(folder, 'cgroup.procs'))) process.kill(Number(pid), 'SIGKILL')
    expect(opened).toBe(false)
    expect(left).toEqual(expect.arrayContaining(pids as number[]))
    expect(below).not.toContain(gatewayGroup)
    await expect.poll(() => words(join(group, 'cgroup.procs'))).toEqual([])
  })

  test('is not taken where it lacks a controller', () => {
    handOver()
    expect(openDelegated(group, ['no-such-controller'])).toBe(false)
  })
})

test('an ordinary folder is no group', () => {
  const folder = freshFolder()
  writeFileSync(join(folder, 'cgroup.controllers'), 'memory pids')
  expect(openDelegated(folder)).toBe(false)
  expect(readdirSync(folder)).toEqual(['cgroup.controllers'])
})
