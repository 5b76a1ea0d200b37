/** Side by side with `@portkey-ai/gateway`: the same calls to the same vendor. Portkey has no policy or decision log running here; Turnward has. */
import { spawnSync } from 'node:child_process'
import { mkdtemp, rm, writeFile } from 'node:fs/promises'
import { createServer, type AddressInfo } from 'node:net'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { setTimeout as delay } from 'node:timers/promises'
import { compare, type Contestant } from '../alternating.ts'
import { startGateway } from '../gateway-under-test.ts'
import { startProcess, type MeasuredProcess } from '../measured-process.ts'
import { freshChats } from '../requests.ts'
import { atLeast, atMost, skipped, type Row } from '../rows.ts'
import type { Bench, Scenario } from '../scenario.ts'
import { round } from '../statistics.ts'
import { startVendor } from '../topology.ts'

const installMs = 120_000
const connections = 16
/** Calls a second at which latencies are compared: below what the slower of the two can take. */
const rate = 300
/** With newer ones every streaming request of this Portkey fails. */
const manifest = {
  private: true,
  dependencies: { '@portkey-ai/gateway': '1.15.2' },
  overrides: { hono: '4.9.7', '@hono/node-server': '1.13.8' },
}

export const peer: Scenario = {
  name: 'peer',
  async run(bench) {
    const dir = await mkdtemp(join(tmpdir(), 'turnward-bench-peer-'))
    try {
      const why = await install(dir)
      return why === undefined
        ? await sideBySide(bench, dir)
        : ['calls a second', 'p99'].map((what) => skipped(`against Portkey: ${what}`, 'x', why))
    } finally {
      await rm(dir, { recursive: true, force: true })
    }
  },
}

/** Undefined when it worked, otherwise why not. */
async function install(dir: string): Promise<string | undefined> {
  await writeFile(join(dir, 'package.json'), JSON.stringify(manifest))
  const { status, error, stderr } = spawnSync('npm', ['install', '--ignore-scripts', '--no-audit', '--no-fund'], {
    cwd: dir,
    timeout: installMs,
    encoding: 'utf8',
  })
  if (status === 0) return undefined
  return `npm could not install it: ${error?.message ?? stderr.trim().split('\n').at(-1) ?? `exit code ${status}`}`
}

async function startPortkey(dir: string): Promise<MeasuredProcess> {
  const port = await freePort()
  const url = `http://127.0.0.1:${port}`
  return startProcess({
    command: [process.execPath, join(dir, 'node_modules/@portkey-ai/gateway/build/start-server.js'), `--port=${port}`, '--headless'],
    core: 'tested',
    cwd: dir,
    ready: () => answering(url),
  })
}

async function answering(url: string): Promise<string> {
  for (let attempt = 0; attempt < 100; attempt += 1) {
    const answered = await fetch(url).then(
      (response) => response.text(),
      () => undefined,
    )
    if (answered !== undefined) return url
    await delay(100)
  }
  throw new Error(`${url} does not answer`)
}

function freePort(): Promise<number> {
  return new Promise((resolve) => {
    const server = createServer().listen(0, '127.0.0.1', () => {
      const { port } = server.address() as AddressInfo
      server.close(() => resolve(port))
    })
  })
}

async function sideBySide(bench: Bench, dir: string): Promise<readonly Row[]> {
  const vendor = await bench.keep(startVendor())
  const portkey = await bench.keep(startPortkey(dir))
  const gateway = await bench.keep(startGateway({ vendor: vendor.url }))
  const marker = 'chatcmpl-bench'
  const headers = { 'x-portkey-provider': 'openai', 'x-portkey-custom-host': `${vendor.url}/json/v1` }
  const contestants: readonly Contestant[] = [
    { name: 'Portkey', process: portkey, url: portkey.url, request: freshChats('bench-json', 'gateway', connections, headers), marker },
    { name: 'gateway', process: gateway, url: gateway.url, request: freshChats('bench-json', 'gateway', connections), marker },
  ]
  const [theirs, ours] = await compare(contestants, { connections }, bench.pace)
  const [theirsPaced, oursPaced] = await compare(contestants, { connections, rate }, bench.pace)
  if (theirs === undefined || ours === undefined || theirsPaced === undefined || oursPaced === undefined)
    throw new Error('nothing was measured')
  return [
    atLeast(
      'against Portkey: calls a second',
      ours.perSecond / theirs.perSecond,
      4,
      'x',
      `${round(ours.perSecond, 0)} against ${round(theirs.perSecond, 0)} calls/s; ${round(ours.cpuMicros, 0)} against ${round(theirs.cpuMicros, 0)} us`,
    ),
    atMost(
      `against Portkey: p99 at ${rate} calls a second`,
      oursPaced.p99 / theirsPaced.p99,
      0.25,
      'x',
      `${round(oursPaced.p99, 2)} against ${round(theirsPaced.p99, 2)} ms`,
    ),
  ]
}
