/** Servers in containers, at an engine that refuses what the published API does not have; their processes are real. */
import { createHash } from 'node:crypto'
import { mkdtemp, rm } from 'node:fs/promises'
import { hostname, tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterEach, beforeEach, describe, expect, test } from 'vitest'
import type { McpServer } from '../../../config/snapshot.ts'
import type { JsonObject } from '../../../core/json.ts'
import { silentLogger } from '../../../core/logger.ts'
import { installed, snapshotOf, startFleet } from '../../running-parts.fixture.ts'
import type { RunningServer } from '../runner.ts'
import { createDockerRunner } from './docker.ts'
import { startEngine, type SimulatedEngine } from './engine.fixture.ts'

let engine: SimulatedEngine
let folder: string
beforeEach(async () => {
  engine = await startEngine()
  folder = await mkdtemp(join(tmpdir(), 'turnward-docker-'))
})
afterEach(async () => {
  await engine[Symbol.asyncDispose]()
  await rm(folder, { recursive: true, force: true })
})

const config = (more: JsonObject = {}, docker: JsonObject = {}): JsonObject => ({
  transport: 'stdio',
  runner: 'docker',
  docker: { image: 'server:1', socket: engine.socket, ...docker },
  ...more,
})

function serverOf(written: JsonObject): McpServer {
  const server = snapshotOf({ servers: { s: written } }).servers.get('s')
  if (server === undefined) throw new Error('no server')
  return server
}

const start = (written: JsonObject, runner = createDockerRunner({})): Promise<RunningServer> =>
  runner.start({ server: serverOf(written), workDir: join(folder, 'servers', 's-1'), logger: silentLogger })
const script = (text: string, more: JsonObject = {}, docker: JsonObject = {}): JsonObject =>
  config({ command: ['node', '-e', text], ...more }, docker)

async function textOf(stream: NodeJS.ReadableStream): Promise<string> {
  let text = ''
  stream.setEncoding('utf8')
  for await (const chunk of stream) text += String(chunk)
  return text
}

const echo = `process.stdin.on('data', (chunk) => process.stdout.write(chunk))`
const deaf = `process.on('SIGTERM', () => {}); process.stdin.resume(); setInterval(() => {}, 1000); process.stdout.write('up')`

test('a real MCP server is listed, called and ended, and nothing of it is left', async () => {
  const fleet = startFleet(
    {
      servers: {
        s: config({
          command: ['node', installed('@modelcontextprotocol/server-memory/dist/index.js')],
          env: { MEMORY_FILE_PATH: join(folder, 'memory.jsonl') },
        }),
      },
      gateways: { g: { servers: ['s'] } },
    },
    { runners: new Map([['docker', createDockerRunner({})]]), dataDir: folder },
  )
  try {
    const tool = (await fleet.catalogue('g')).resolve('s__read_graph')
    if (tool === undefined) throw new Error(JSON.stringify(fleet.fleet.status()))
    const calling = { signal: new AbortController().signal, onProgress: undefined, meta: undefined }
    expect(await fleet.call(tool, {}, calling)).toMatchObject({ structuredContent: { entities: [] } })
  } finally {
    await fleet.fleet.close()
  }
  expect(engine.made.length).toBeGreaterThan(0)
  expect(engine.containers.size).toBe(0)
})

describe('the container that is made', () => {
  async function made(written: JsonObject) {
    const running = await start(written)
    await running.stop(0)
    const body = engine.made[0]?.body
    if (body?.HostConfig === undefined) throw new Error('nothing was made')
    return { body, host: body.HostConfig }
  }

  test('has no network, no capabilities, nothing to write to but memory, and ends with its input', async () => {
    const { body, host } = await made(script(echo))
    expect(host).toMatchObject({
      NetworkMode: 'none',
      ReadonlyRootfs: true,
      CapDrop: ['ALL'],
      SecurityOpt: ['no-new-privileges'],
      Privileged: false,
      IpcMode: 'private',
      Init: true,
      LogConfig: { Type: 'none' },
      Mounts: [],
    })
    expect([host.CapAdd, host.Binds, host.PidMode, host.UsernsMode]).toEqual([undefined, undefined, undefined, undefined])
    expect(Object.keys(host.Tmpfs ?? {})).toEqual(['/tmp', '/home/sandbox'])
    expect(body).toMatchObject({ User: '65532:65532', OpenStdin: true, StdinOnce: true, Tty: false, Healthcheck: { Test: ['NONE'] } })
  })

  test('has the limits of its configuration, and no swap beside them', async () => {
    const { host } = await made(script(echo, { limits: { memory_mb: 100, processes: 20, cpu_seconds: 60, file_mb: 8 } }, { cpus: 0.5 }))
    const bytes = 8 * 1024 * 1024
    expect(host).toMatchObject({ Memory: 104_857_600, MemorySwap: 104_857_600, PidsLimit: 20, NanoCpus: 500_000_000, ShmSize: bytes })
    expect(host.Tmpfs?.['/tmp']).toContain(`size=${bytes}`)
    expect(host.Ulimits).toEqual(
      expect.arrayContaining([
        { Name: 'cpu', Soft: 60, Hard: 60 },
        { Name: 'fsize', Soft: bytes, Hard: bytes },
      ]),
    )
  })

  test('has the environment that is listed and nothing of the gateway', async () => {
    process.env.OF_THE_GATEWAY = 'secret'
    try {
      const { body } = await made(script(echo, { env: { GIVEN: 'a=b' } }))
      expect(body.Env).toEqual(['HOME=/home/sandbox', 'TMPDIR=/tmp', 'GIVEN=a=b'])
    } finally {
      delete process.env.OF_THE_GATEWAY
    }
  })

  test('sees its folders read-only unless it may write, and none that hold what is of the gateway', async () => {
    const [read, write] = [await mkdtemp(join(folder, 'read-')), await mkdtemp(join(folder, 'write-'))]
    const { host } = await made(script(echo, { mounts: [{ path: read }, { path: write, write: true }] }, { user: '1000:1000' }))
    expect(host.Mounts).toMatchObject([
      { Type: 'bind', Source: read, Target: read, ReadOnly: true, BindOptions: { Propagation: 'rprivate' } },
      { Type: 'bind', Source: write, ReadOnly: false },
    ])
    const runner = createDockerRunner({ protect: [folder] })
    await expect(start(script(echo, { mounts: [{ path: read }] }), runner)).rejects.toMatchObject({ code: 'config.invalid' })
  })

  test('carries whose it is, and the same digest for the same configuration only', async () => {
    for (const env of [{ A: '1' }, { A: '1' }, { A: '2' }]) await (await start(script(echo, { env }))).stop(0)
    const carried = engine.made.map(({ body }) => body.Labels ?? {})
    expect(carried[0]).toMatchObject({ 'turnward.server': 's', 'turnward.process': expect.stringMatching(/^\d+:\d+$/) })
    const [first, second, third] = carried.map((label) => label['turnward.spec'])
    expect([first === second, first === third]).toEqual([true, false])
  })

  test('is told to people as a command line without the values of its environment', () => {
    const line = createDockerRunner({})
      .describe({ server: serverOf(script(echo, { env: { TOKEN: 'hidden-value' } })), workDir: join(folder, 's'), logger: silentLogger })
      .join(' ')
    expect(line).toMatch(/^docker run .*--network=none .*--read-only .*--cap-drop=ALL .*--env=TOKEN server:1 node -e/)
    expect(line).not.toContain('hidden-value')
  })
})

describe('its streams', () => {
  test('are told apart, whole, and in order, however the connection cuts them', async () => {
    const running = await start(
      script(`for (let n = 0; n < 300; n += 1) { process.stdout.write('out ' + n + '\\n'); process.stderr.write('err ' + n + '\\n') }`),
    )
    const [out, err] = await Promise.all([textOf(running.stdout), textOf(running.stderr)])
    expect(out).toBe(Array.from({ length: 300 }, (_, n) => `out ${n}\n`).join(''))
    expect(err).toBe(Array.from({ length: 300 }, (_, n) => `err ${n}\n`).join(''))
    expect(await running.ended).toBe('exit 0')
  })

  test('carry megabytes both ways', async () => {
    const running = await start(script(echo))
    const sent = Buffer.alloc(5 * 1024 * 1024, 'turnward')
    const got = createHash('sha256')
    const back = (async () => {
      for await (const chunk of running.stdout as AsyncIterable<Buffer>) got.update(chunk)
    })()
    running.stdin.end(sent)
    await back
    expect(got.digest('hex')).toBe(createHash('sha256').update(sent).digest('hex'))
  })

  test('that are none end the container', async () => {
    const running = await start(script(deaf))
    await new Promise((resolve) => running.stdout.once('data', resolve))
    engine.writeRaw(engine.made[0]?.id ?? '', Buffer.from('HTTP/1.1 200 OK\r\n'))
    expect(await running.ended).toBe('signal SIGKILL')
    expect(engine.containers.size).toBe(0)
  })
})

describe('how it ends', () => {
  test.each([
    ['process.exit(3)', 'exit 3'],
    ['process.kill(process.pid, "SIGKILL")', 'signal SIGKILL'],
  ])('by itself: %s', async (text, why) => {
    expect(await (await start(script(text))).ended).toBe(why)
    expect(engine.containers.size).toBe(0)
  })

  test('for its memory, which is said', async () => {
    const running = await start(script(deaf))
    await new Promise((resolve) => running.stdout.once('data', resolve))
    engine.outOfMemory(engine.made[0]?.id ?? '')
    expect(await running.ended).toBe('memory limit')
  })

  test('with its input, when it is asked to', async () => {
    const running = await start(script(echo))
    await running.stop(2000)
    expect(await running.ended).toBe('exit 0')
    expect(engine.requests.filter((request) => /\/(stop|kill)$/.test(request))).toEqual([])
    expect(engine.containers.size).toBe(0)
  })

  test('by force, when it does not listen', async () => {
    const running = await start(script(deaf))
    await new Promise((resolve) => running.stdout.once('data', resolve))
    await running.stop(600)
    expect(await running.ended).toBe('signal SIGKILL')
    expect(engine.requests.some((request) => request.endsWith('/stop'))).toBe(true)
    expect(engine.containers.size).toBe(0)
  })

  test('when its engine is gone', async () => {
    const running = await start(script(deaf))
    await new Promise((resolve) => running.stdout.once('data', resolve))
    await engine[Symbol.asyncDispose]()
    expect(await running.ended).toBe('the Docker Engine is gone')
  })
})

describe('images', () => {
  test('that are not there are not fetched unless that is said', async () => {
    await expect(start(script(echo, {}, { image: 'other:2' }))).rejects.toMatchObject({
      code: 'mcp.server_unavailable',
      why: 'the image other:2 is not there: `docker pull other:2`, or set `docker.pull: missing`',
    })
    expect(engine.requests.filter((request) => request.startsWith('POST'))).toEqual([])
  })

  test('are fetched once, however many starts wait for them', async () => {
    engine.fetchable.add('other:2')
    const running = await Promise.all([1, 2, 3].map(() => start(script(echo, {}, { image: 'other:2', pull: 'missing' }))))
    expect(engine.requests.filter((request) => request === 'POST /images/create')).toHaveLength(1)
    for (const each of running) await each.stop(0)
  })

  test('that cannot be fetched are said to be so, with what the registry says', async () => {
    await expect(start(script(echo, {}, { image: 'none:1', pull: 'missing' }))).rejects.toMatchObject({
      why: 'the image none:1 could not be fetched: manifest unknown',
    })
  })
})

describe('an engine', () => {
  test('that is not there is said to be so', async () => {
    await expect(start(script(echo, {}, { socket: join(folder, 'nothing.sock') }))).rejects.toMatchObject({
      code: 'mcp.server_unavailable',
      why: expect.stringMatching(/cannot be reached at .*nothing\.sock \(ENOENT\)/),
    })
  })

  test.each([
    ['to say what is there', /^GET .containers.json/],
    ['to make a container', /create$/],
    ['to start it', /start$/],
  ])('that refuses %s is quoted, and nothing is left', async (_what, request) => {
    engine.refuse = { request, status: 500, message: 'no space left\non device' }
    await expect(start(script(echo))).rejects.toMatchObject({ why: 'the Docker Engine answered 500: no space left on device' })
    expect(engine.containers.size).toBe(0)
  })

  test('that answers again is asked again', async () => {
    const runner = createDockerRunner({})
    engine.refuse = { request: /json$/, status: 500, message: 'starting' }
    await expect(start(script(echo), runner)).rejects.toMatchObject({ code: 'mcp.server_unavailable' })
    engine.refuse = undefined
    await (await start(script(echo), runner)).stop(0)
  })

  test('is looked at before anything is started of it', async () => {
    const runner = createDockerRunner({})
    expect(await runner.available(serverOf(script(echo)))).toBeUndefined()
    expect(await runner.available(serverOf(script(echo, {}, { socket: join(folder, 'none') })))).toContain('cannot be reached')
  })

  test('that cannot bound a container is refused, unless that is accepted', async () => {
    engine.warnings = ['Your kernel does not support memory limit capabilities or the cgroup is not mounted. Limitation discarded.']
    await expect(start(script(echo))).rejects.toMatchObject({ code: 'sandbox.limits' })
    expect(engine.containers.size).toBe(0)
    const running = await start(script(echo, { limits: { unenforced: 'accept' } }))
    expect(running.isBounded).toBe(false)
    await running.stop(0)
  })

  test('of an older version is spoken to in that version, and one that is too old is refused', async () => {
    engine.version = '1.41'
    await (await start(script(echo))).stop(0)
    engine.version = '1.40'
    await expect(start(script(echo))).rejects.toMatchObject({ why: expect.stringContaining('1.41 is needed') })
  })
})

test('what a gateway that is gone left behind is removed before anything starts; what lives, or is of others, is not', async () => {
  const gateway = createHash('sha256')
    .update(`${hostname()} ${join(folder, 'servers')}`)
    .digest('hex')
    .slice(0, 16)
  const own = { 'turnward.gateway': gateway, 'turnward.server': 's' }
  const living = await start(script(echo))
  const process_ = engine.made[0]?.body.Labels?.['turnward.process'] ?? ''
  const dead = engine.add({ ...own, 'turnward.process': '999999:1' })
  const reused = engine.add({ ...own, 'turnward.process': `${process.pid}:1` })
  const sibling = engine.add({ ...own, 'turnward.process': process_ })
  const other = engine.add({ ...own, 'turnward.gateway': 'another', 'turnward.process': '999999:1' })
  const foreign = engine.add({})
  const next = await start(script(echo), createDockerRunner({}))
  const left = [dead, reused, sibling, other, foreign].map((id) => engine.containers.has(id))
  expect(left).toEqual([false, false, true, true, true])
  expect(engine.containers.size).toBe(5)
  for (const running of [living, next]) await running.stop(0)
})
