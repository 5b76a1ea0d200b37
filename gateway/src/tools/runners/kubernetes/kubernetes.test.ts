/** Servers in pods, at an API server that takes what Kubernetes publishes and nothing else; their processes are real. */
import { createHash } from 'node:crypto'
import { mkdtemp, rm, writeFile } from 'node:fs/promises'
import { hostname, tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterEach, beforeEach, describe, expect, test } from 'vitest'
import type { McpServer } from '../../../config/snapshot.ts'
import type { JsonObject } from '../../../core/json.ts'
import { silentLogger } from '../../../core/logger.ts'
import { installed, snapshotOf, startFleet } from '../../running-parts.fixture.ts'
import type { RunningServer } from '../runner.ts'
import { startCluster, type SimulatedCluster } from './cluster.fixture.ts'
import { createKubernetesRunner } from './kubernetes.ts'

let cluster: SimulatedCluster
let folder: string
beforeEach(async () => {
  folder = await mkdtemp(join(tmpdir(), 'turnward-kubernetes-'))
  await use(await startCluster())
})
afterEach(async () => {
  await cluster[Symbol.asyncDispose]()
  await rm(folder, { recursive: true, force: true })
})

async function use(started: SimulatedCluster): Promise<void> {
  cluster = started
  for (const [name, text] of [
    ['token', `${cluster.token}\n`],
    ['ca.crt', cluster.ca],
    ['namespace', 'tools'],
  ] as const)
    await writeFile(join(folder, name), text)
}

const config = (more: JsonObject = {}, kubernetes: JsonObject = {}): JsonObject => ({
  transport: 'stdio',
  runner: 'kubernetes',
  kubernetes: {
    image: 'server:1',
    api: cluster.api,
    token_file: join(folder, 'token'),
    ca_file: join(folder, 'ca.crt'),
    namespace_file: join(folder, 'namespace'),
    ...kubernetes,
  },
  limits: { unenforced: 'accept' },
  ...more,
})
const script = (text: string, more: JsonObject = {}, kubernetes: JsonObject = {}): JsonObject =>
  config({ command: ['node', '-e', text], ...more }, kubernetes)

function serverOf(written: JsonObject, name = 's'): McpServer {
  const server = snapshotOf({ servers: { [name]: written } }).servers.get(name)
  if (server === undefined) throw new Error('no server')
  return server
}

const workDir = (): string => join(folder, 'servers', 's-1')
const start = (written: JsonObject, runner = createKubernetesRunner(), name = 's'): Promise<RunningServer> =>
  runner.start({ server: serverOf(written, name), workDir: workDir(), logger: silentLogger })
const gatewayOf = (): string => createHash('sha256').update(join(folder, 'servers')).digest('hex').slice(0, 16)

async function textOf(stream: NodeJS.ReadableStream): Promise<string> {
  let text = ''
  stream.setEncoding('utf8')
  for await (const chunk of stream) text += String(chunk)
  return text
}

const echo = `process.stdin.on('data', (chunk) => process.stdout.write(chunk))`
const deaf = `process.on('SIGTERM', () => {}); process.stdin.resume(); setInterval(() => {}, 1000)`
const ready = `process.stdin.once('data', () => process.stdout.write('up'));`

/** Until the process has said that it listens to nothing. */
async function startDeaf(): Promise<RunningServer> {
  const running = await start(script(`${deaf}; ${ready}`))
  running.stdin.write('?')
  await new Promise((resolve) => running.stdout.once('data', resolve))
  return running
}

describe('a real MCP server', () => {
  const memory = (more: JsonObject = {}): JsonObject =>
    config({
      command: ['node', installed('@modelcontextprotocol/server-memory/dist/index.js')],
      env: { MEMORY_FILE_PATH: join(folder, 'memory.jsonl') },
      era: 'legacy',
      ...more,
    })
  const startMemory = (servers: Record<string, unknown>) =>
    startFleet(
      { servers, gateways: { g: { servers: ['s'] } } },
      { runners: new Map([['kubernetes', createKubernetesRunner()]]), dataDir: join(folder, 'servers') },
    )

  test('is listed, called and ended, and no pod of it is left', async () => {
    const fleet = startMemory({ s: memory() })
    try {
      const tool = (await fleet.catalogue('g')).resolve('s__read_graph')
      if (tool === undefined) throw new Error(JSON.stringify(fleet.fleet.status()))
      const calling = { signal: new AbortController().signal, onProgress: undefined, meta: undefined }
      expect(await fleet.call(tool, {}, calling)).toMatchObject({ structuredContent: { entities: [] } })
    } finally {
      await fleet.fleet.close()
    }
    expect([cluster.made.length, cluster.pods.size]).toEqual([1, 0])
  })

  test('runs on when something else of the configuration changes, and not when its own does', async () => {
    const fleet = startMemory({ s: memory() })
    try {
      await fleet.catalogue('g')
      const gateways = { g: { servers: ['s'] } }
      fleet.swap({ servers: { s: memory(), other: { transport: 'http', url: 'http://127.0.0.1:1/' } }, gateways })
      await fleet.catalogue('g')
      expect(cluster.made).toHaveLength(1)
      fleet.swap({ servers: { s: memory({ limits: { memory_mb: 100, unenforced: 'accept' } }) }, gateways })
      await fleet.catalogue('g')
      expect(cluster.made).toHaveLength(2)
      const specs = cluster.made.map(({ object }) => ((object.metadata as JsonObject).annotations as JsonObject)['turnward.spec'])
      expect(specs[0]).not.toBe(specs[1])
    } finally {
      await fleet.fleet.close()
    }
  })
})

describe('the pod that is made', () => {
  async function made(
    written: JsonObject,
    name = 's',
  ): Promise<{ readonly metadata: JsonObject; readonly spec: JsonObject; readonly container: JsonObject }> {
    await (await start(written, createKubernetesRunner(), name)).stop(0)
    const { metadata, spec } = cluster.made[0]?.object ?? {}
    const [container] = (spec as JsonObject).containers as unknown as JsonObject[]
    return { metadata: metadata as JsonObject, spec: spec as JsonObject, container: container ?? {} }
  }

  test('has no account, no names to look up, no capabilities and nothing to write to but memory', async () => {
    const { spec, container } = await made(script(echo))
    expect(spec).toMatchObject({
      restartPolicy: 'Never',
      automountServiceAccountToken: false,
      enableServiceLinks: false,
      dnsPolicy: 'None',
      securityContext: { runAsNonRoot: true, runAsUser: 65532, seccompProfile: { type: 'RuntimeDefault' } },
      volumes: [
        { name: 'tmp', emptyDir: { medium: 'Memory', sizeLimit: '256Mi' } },
        { name: 'home', emptyDir: { medium: 'Memory' } },
      ],
    })
    expect(container).toMatchObject({
      stdin: true,
      stdinOnce: true,
      imagePullPolicy: 'IfNotPresent',
      securityContext: { allowPrivilegeEscalation: false, readOnlyRootFilesystem: true, capabilities: { drop: ['ALL'] } },
    })
  })

  test('has the limits of its configuration', async () => {
    const { container, spec } = await made(script(echo, { limits: { memory_mb: 100, file_mb: 8, unenforced: 'accept' } }, { cpus: 0.25 }))
    expect(container.resources).toMatchObject({ limits: { memory: '100Mi', cpu: '250m' } })
    expect(spec.volumes).toMatchObject([{ emptyDir: { sizeLimit: '8Mi' } }, {}])
  })

  test('gets its arguments and its environment as they are written', async () => {
    const show = `process.stdin.on('data', () => { process.stdout.write(JSON.stringify([process.argv.slice(1), process.env.GIVEN, process.env.HOME])); process.exit(0) })`
    const running = await start(config({ command: ['node', '-e', show, '$(HOME)', '$$(HOME)'], env: { GIVEN: '$(HOME) $$x $y' } }))
    running.stdin.write('?')
    expect(JSON.parse(await textOf(running.stdout))).toEqual([['$(HOME)', '$$(HOME)'], '$(HOME) $$x $y', '/home/sandbox'])
    await running.ended
  })

  test('has a name and labels the API takes, whatever the server is called', async () => {
    const { metadata } = await made(script(echo), 'My_Server-')
    expect(metadata.name).toMatch(/^turnward-my-server-[0-9a-f]{6}-[a-z0-9]{10}$/)
    expect(metadata.annotations).toMatchObject({ 'turnward.server': 'My_Server-', 'turnward.process': expect.stringContaining(hostname()) })
  })

  test('belongs to the pod of the gateway, where that is said, and has the class and the secrets that are', async () => {
    const { metadata, spec } = await made(
      script(echo, {}, { owner: { name: 'gateway-0', uid: 'u-1' }, runtime_class: 'gvisor', pull_secrets: ['registry'], pull: 'never' }),
    )
    expect(metadata.ownerReferences).toEqual([{ apiVersion: 'v1', kind: 'Pod', name: 'gateway-0', uid: 'u-1' }])
    expect(spec).toMatchObject({ runtimeClassName: 'gvisor', imagePullSecrets: [{ name: 'registry' }] })
  })
})

describe('its network', () => {
  test('is closed before the first pod is made, and opened for one pod alone', async () => {
    const running = await start(script(echo, { network: ['10.1.2.3:5432', '2001:db8::1', '[2001:db8::2]:8443'] }))
    const name = cluster.made[0]?.name ?? ''
    const closed = cluster.policies.get(`turnward-${gatewayOf()}`)
    expect(closed?.spec).toEqual({ podSelector: { matchLabels: { 'turnward.gateway': gatewayOf() } }, policyTypes: ['Ingress', 'Egress'] })
    const [first, made] = ['networkpolicies', 'pods'].map((kind) =>
      cluster.requests.findIndex((request) => request.startsWith('POST') && request.endsWith(kind)),
    )
    expect(first).toBeLessThan(made ?? 0)
    expect(cluster.policies.get(name)?.spec).toEqual({
      podSelector: { matchLabels: { 'turnward.pod': name } },
      policyTypes: ['Egress'],
      egress: [
        { to: [{ ipBlock: { cidr: '10.1.2.3/32' } }], ports: [{ protocol: 'TCP', port: 5432 }] },
        { to: [{ ipBlock: { cidr: '2001:db8::1/128' } }], ports: [80, 443].map((port) => ({ protocol: 'TCP', port })) },
        { to: [{ ipBlock: { cidr: '2001:db8::2/128' } }], ports: [{ protocol: 'TCP', port: 8443 }] },
      ],
    })
    expect(cluster.policies.get(name)?.metadata).toMatchObject({ ownerReferences: [{ kind: 'Pod', name }] })
    await running.stop(0)
    expect(cluster.policies.has(name)).toBe(false)
  })

  test('stays as it is when it is as it should be, and is put right when somebody changed what it is made from', async () => {
    const runner = createKubernetesRunner()
    await (await start(script(echo), runner)).stop(0)
    await (await start(script(echo), runner)).stop(0)
    expect(cluster.requests.filter((request) => /^(?:POST|PUT) .*networkpolicies/.test(request))).toHaveLength(1)
    const key = `turnward-${gatewayOf()}`
    const before = cluster.policies.get(key) ?? {}
    cluster.policies.set(key, { ...before, spec: {}, metadata: { ...(before.metadata as JsonObject), annotations: {} } })
    await (await start(script(echo), runner)).stop(0)
    expect(cluster.policies.get(key)?.spec).toEqual(before.spec)
    cluster.policies.delete(key)
    await (await start(script(echo), runner)).stop(0)
    expect(cluster.policies.get(key)?.spec).toEqual(before.spec)
  })

  test('that cannot be closed starts nothing', async () => {
    cluster.refuse = { request: /^POST .*networkpolicies/, status: 403, message: 'networkpolicies is forbidden: cannot create' }
    await expect(start(script(echo))).rejects.toMatchObject({ why: expect.stringContaining('403: networkpolicies is forbidden') })
    expect(cluster.made).toEqual([])
  })
})

describe('its streams', () => {
  test('are told apart and whole', async () => {
    const count = `process.stdin.once('data', () => { for (let n = 0; n < 300; n += 1) { process.stdout.write('out ' + n + '\\n'); process.stderr.write('err ' + n + '\\n') } process.stdin.destroy() })`
    const running = await start(script(count))
    running.stdin.write('go')
    const [out, err] = await Promise.all([textOf(running.stdout), textOf(running.stderr)])
    expect(out).toBe(Array.from({ length: 300 }, (_, n) => `out ${n}\n`).join(''))
    expect(err).toBe(Array.from({ length: 300 }, (_, n) => `err ${n}\n`).join(''))
    expect(await running.ended).toBe('exit 0')
  })

  test('carry megabytes both ways, and say that the input is over', async () => {
    const running = await start(script(echo))
    const sent = Buffer.alloc(3 * 1024 * 1024, 'turnward')
    const got = createHash('sha256')
    const back = (async () => {
      for await (const chunk of running.stdout as AsyncIterable<Buffer>) got.update(chunk)
    })()
    running.stdin.end(sent)
    await back
    expect(got.digest('hex')).toBe(createHash('sha256').update(sent).digest('hex'))
    expect(await running.ended).toBe('exit 0')
  })
})

describe('how it ends', () => {
  test('by itself, and why', async () => {
    const running = await start(script(`process.stdin.once('data', () => process.exit(3))`))
    running.stdin.write('?')
    expect(await running.ended).toBe('exit 3')
    expect(cluster.pods.size).toBe(0)
  })

  test('for its memory, which is said', async () => {
    const running = await startDeaf()
    cluster.outOfMemory(cluster.made[0]?.name ?? '')
    expect(await running.ended).toBe('memory limit')
  })

  test('with its input, when it is asked to', async () => {
    const running = await start(script(echo))
    await running.stop(2000)
    expect(await running.ended).toBe('exit 0')
    expect(cluster.pods.size).toBe(0)
  })

  test.each(['v5.channel.k8s.io', 'v4.channel.k8s.io'])('by force, when it does not listen (%s)', async (protocol) => {
    cluster.protocols = [protocol]
    const running = await startDeaf()
    await running.stop(600)
    expect(await running.ended).toMatch(/^(?:signal SIGKILL|the pod is gone)$/)
    expect([cluster.pods.size, cluster.made[0]?.process?.signalCode]).toEqual([0, 'SIGKILL'])
  })

  test('when the connection to it is lost: the pod goes too', async () => {
    const running = await startDeaf()
    cluster.made[0]?.socket?.terminate()
    expect(await running.ended).toBe('the connection to the pod is over')
    await expect.poll(() => cluster.pods.size).toBe(0)
  })

  test('when the API server is gone', async () => {
    const running = await startDeaf()
    await cluster.stopListening()
    expect(await running.ended).toBe('the API server of Kubernetes is gone')
  })
})

describe('a pod that does not run', () => {
  test('for a reason that does not pass is given up, with the reason, and removed', async () => {
    cluster.waiting = { reason: 'ErrImageNeverPull', message: 'Container image "server:1" is not present' }
    await expect(start(script(echo))).rejects.toMatchObject({
      code: 'mcp.server_unavailable',
      why: 'the pod does not start: ErrImageNeverPull: Container image "server:1" is not present',
    })
    expect(cluster.pods.size).toBe(0)
  })

  test('because it ends at once is told so', async () => {
    cluster.waiting = { reason: 'ContainerCreating' }
    const starting = expect(start(script(echo))).rejects.toMatchObject({ why: 'the pod ended before it could be used (exit 7)' })
    await expect.poll(() => cluster.made.length).toBe(1)
    Object.assign(cluster.made[0] ?? {}, { phase: 'Failed', state: { terminated: { exitCode: 7, reason: 'Error' } } })
    await starting
    expect(cluster.pods.size).toBe(0)
  })

  test('because nobody accepts that its processes are not bounded is not made', async () => {
    await expect(start(script(echo, { limits: {} }))).rejects.toMatchObject({
      code: 'sandbox.limits',
      fix: expect.stringContaining('podPidsLimit'),
    })
    expect(cluster.requests).toEqual([])
  })
})

describe('the API server', () => {
  test('is asked over TLS, and only where its certificate is of the authority that is given', async () => {
    await cluster[Symbol.asyncDispose]()
    await use(await startCluster({ tls: true }))
    await (await start(script(echo))).stop(0)
    await writeFile(join(folder, 'ca.crt'), (await startOther()).ca)
    await expect(start(script(echo))).rejects.toMatchObject({
      why: expect.stringMatching(/cannot be reached at https:.*(?:SELF_SIGNED|UNABLE_TO_VERIFY|SIGNATURE)/),
    })
  })

  test('that is not there is said to be so, and so is a token that is not', async () => {
    await expect(start(script(echo, {}, { token_file: join(folder, 'none') }))).rejects.toMatchObject({
      why: expect.stringMatching(/the token of the account cannot be read from .*none \(ENOENT\)/),
    })
    const runner = createKubernetesRunner()
    expect(await runner.available(serverOf(script(echo)))).toBeUndefined()
    await cluster.stopListening()
    await expect(start(script(echo), runner)).rejects.toMatchObject({
      code: 'mcp.server_unavailable',
      why: expect.stringContaining('(ECONNREFUSED)'),
    })
    expect(await runner.available(serverOf(script(echo)))).toContain('cannot be reached')
  })

  test('gets the token as it is now', async () => {
    const runner = createKubernetesRunner()
    await writeFile(join(folder, 'token'), 'old')
    await expect(start(script(echo), runner)).rejects.toMatchObject({ why: expect.stringContaining('401: Unauthorized') })
    await writeFile(join(folder, 'token'), cluster.token)
    await (await start(script(echo), runner)).stop(0)
  })

  async function startOther(): Promise<SimulatedCluster> {
    const other = await startCluster({ tls: true })
    await other[Symbol.asyncDispose]()
    return other
  }
})

test('what a gateway that is gone left behind is removed before anything starts; what may live, or is of others, is not', async () => {
  const labels = { 'turnward.gateway': gatewayOf() }
  const at = (host: string, pid: number): JsonObject => ({ 'turnward.server': 's', 'turnward.process': `${host} ${pid} 1` })
  cluster.add('dead', labels, at(hostname(), 999_999), 'Running')
  cluster.add('reused', labels, at(hostname(), process.pid), 'Running')
  cluster.add('ended', labels, at('elsewhere', 7), 'Succeeded')
  cluster.add('elsewhere', labels, at('elsewhere', 7), 'Running')
  cluster.add('other', { 'turnward.gateway': 'another' }, at(hostname(), 999_999), 'Running')
  const living = await start(script(echo))
  const next = await start(script(echo), createKubernetesRunner())
  const left = ['dead', 'reused', 'ended', 'elsewhere', 'other'].filter((name) => cluster.pods.has(name))
  expect(left).toEqual(['elsewhere', 'other'])
  expect(cluster.pods.size).toBe(4)
  for (const running of [living, next]) await running.stop(0)
})
