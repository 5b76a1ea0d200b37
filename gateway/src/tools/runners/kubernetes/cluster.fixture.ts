/**
 * An API server on a socket of this host that takes what Kubernetes publishes and nothing else, and one node that runs the
 * arguments of a pod's container as a process of this host. Images are names.
 */
import { spawn, type ChildProcess } from 'node:child_process'
import { randomUUID } from 'node:crypto'
import { createServer as createPlain, type IncomingMessage, type Server, type ServerResponse } from 'node:http'
import { createServer as createTls } from 'node:https'
import type { AddressInfo } from 'node:net'
import { WebSocketServer, type WebSocket } from 'ws'
import { isObject, type JsonObject } from '../../../core/json.ts'
import { selfSigned } from '../../../http1/certificate.fixture.ts'
import { whyRefused } from './published-objects.fixture.ts'

export interface SimulatedPod {
  readonly object: JsonObject
  readonly name: string
  socket: WebSocket | undefined
  process: ChildProcess | undefined
  /** `containerStatuses[0].state`. */
  state: JsonObject
  phase: string
  reason?: string
  isOutOfMemory: boolean
}

export interface SimulatedCluster extends AsyncDisposable {
  readonly api: string
  readonly token: string
  /** In PEM; nothing without TLS. */
  readonly ca: string
  readonly pods: Map<string, SimulatedPod>
  /** Every pod that was ever made. */
  readonly made: SimulatedPod[]
  readonly policies: Map<string, JsonObject>
  /** `METHOD path` of every request that was let in. */
  readonly requests: string[]
  /** Subprotocols the node speaks, best first. */
  protocols: string[]
  /** What the container waits for, in the place of running. */
  waiting: JsonObject | undefined
  /** Requests to be answered with this instead. */
  refuse: { readonly request: RegExp; readonly status: number; readonly message: string } | undefined
  outOfMemory(name: string): void
  /** Adds a pod that somebody else made. */
  add(name: string, labels: JsonObject, annotations: JsonObject, phase: string): void
  stopListening(): Promise<void>
}

const namespace = 'tools'

export async function startCluster(options: { readonly tls?: boolean } = {}): Promise<SimulatedCluster> {
  const certificate = options.tls === true ? selfSigned() : undefined
  const server: Server = certificate === undefined ? createPlain() : createTls(certificate)
  const pods = new Map<string, SimulatedPod>()
  const listening = new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve))
  await listening
  const stopListening = async (): Promise<void> => {
    for (const { socket } of pods.values()) socket?.terminate()
    server.closeAllConnections()
    await new Promise((resolve) => server.close(resolve))
  }
  const cluster: SimulatedCluster = {
    api: `${certificate === undefined ? 'http' : 'https'}://127.0.0.1:${(server.address() as AddressInfo).port}`,
    token: `token-${randomUUID()}`,
    ca: certificate?.cert ?? '',
    pods,
    made: [],
    policies: new Map(),
    requests: [],
    protocols: ['v5.channel.k8s.io', 'v4.channel.k8s.io'],
    waiting: undefined,
    refuse: undefined,
    outOfMemory(name) {
      const pod = pods.get(name)
      if (pod === undefined) throw new Error('no such pod')
      pod.isOutOfMemory = true
      pod.process?.kill('SIGKILL')
    },
    add(name, labels, annotations, phase) {
      const object: JsonObject = { metadata: { name, namespace, labels, annotations } }
      pods.set(name, { object, name, socket: undefined, process: undefined, state: {}, phase, isOutOfMemory: false })
    },
    stopListening,
    async [Symbol.asyncDispose]() {
      for (const { process } of pods.values()) process?.kill('SIGKILL')
      await stopListening()
    },
  }
  const sockets = new WebSocketServer({
    noServer: true,
    handleProtocols: (offered) => cluster.protocols.find((protocol) => offered.has(protocol)) ?? false,
  })
  server.on('request', (request, response) => {
    handle(cluster, request, response).catch((error: unknown) => refuse(response, 500, String(error)))
  })
  server.on('upgrade', (request, socket, head) => {
    const url = admit(cluster, request)
    const pod = url instanceof URL && url.pathname.endsWith('/attach') ? pods.get(url.pathname.split('/')[6] ?? '') : undefined
    const wanted = ['container=server', 'stdin=true', 'stdout=true', 'stderr=true']
    if (pod?.process?.exitCode !== null || !(url instanceof URL) || !wanted.every((part) => url.search.includes(part))) {
      socket.end('HTTP/1.1 400 Bad Request\r\ncontent-length: 36\r\n\r\n{"kind":"Status","message":"not now"}')
      return
    }
    sockets.handleUpgrade(request, socket, head, (opened) => attach(pod, opened))
  })
  return cluster
}

function send(response: ServerResponse, status: number, body: unknown): void {
  response.writeHead(status, { 'content-type': 'application/json' }).end(JSON.stringify(body))
}

function refuse(response: ServerResponse, code: number, message: string): void {
  send(response, code, { kind: 'Status', apiVersion: 'v1', status: 'Failure', message, code })
}

/** The address of a request of somebody who may make it, else how it is refused. */
function admit(cluster: SimulatedCluster, request: IncomingMessage): URL | readonly [number, string] {
  if (request.headers.authorization !== `Bearer ${cluster.token}`) return [401, 'Unauthorized']
  const url = new URL(request.url ?? '/', cluster.api)
  cluster.requests.push(`${request.method} ${url.pathname}`)
  if (cluster.refuse?.request.test(`${request.method} ${url.pathname}`) === true) return [cluster.refuse.status, cluster.refuse.message]
  return url
}

async function handle(cluster: SimulatedCluster, request: IncomingMessage, response: ServerResponse): Promise<void> {
  const chunks: Buffer[] = []
  for await (const chunk of request as AsyncIterable<Buffer>) chunks.push(chunk)
  const url = admit(cluster, request)
  if (!(url instanceof URL)) return refuse(response, ...url)
  const body: unknown = chunks.length === 0 ? undefined : JSON.parse(Buffer.concat(chunks).toString())
  const found = /^\/(?:api\/v1|apis\/networking\.k8s\.io\/v1)\/namespaces\/([^/]+)\/(pods|networkpolicies)(?:\/([^/]+))?$/.exec(
    url.pathname,
  )
  const [, of, kind, name] = found ?? []
  if (of !== namespace || (kind === 'pods') !== url.pathname.startsWith('/api/v1/'))
    return refuse(response, 404, 'the server could not find the requested resource')
  if (kind === 'pods') return onPods(cluster, request.method ?? '', name, url, body, response)
  return onPolicies(cluster, request.method ?? '', name, body, response)
}

function onPolicies(cluster: SimulatedCluster, method: string, name: string | undefined, body: unknown, response: ServerResponse): void {
  const existing = cluster.policies.get(name ?? '')
  if (name !== undefined && existing === undefined) return refuse(response, 404, `networkpolicies "${name}" not found`)
  if (method === 'GET') return send(response, 200, existing)
  const why = whyRefused('V1NetworkPolicy', body, namespace)
  if (why !== undefined) return refuse(response, 422, why)
  const object = body as JsonObject
  const metadata = object.metadata as JsonObject
  const key = String(metadata.name)
  if (method === 'POST' && cluster.policies.has(key)) return refuse(response, 409, 'already exists')
  if (method === 'PUT' && (existing?.metadata as JsonObject | undefined)?.resourceVersion !== metadata.resourceVersion)
    return refuse(response, 409, 'the object has been modified')
  cluster.policies.set(key, { ...object, metadata: { ...metadata, resourceVersion: randomUUID() } })
  send(response, method === 'POST' ? 201 : 200, cluster.policies.get(key))
}

function onPods(
  cluster: SimulatedCluster,
  method: string,
  name: string | undefined,
  url: URL,
  body: unknown,
  response: ServerResponse,
): void {
  if (method === 'POST' && name === undefined) return create(cluster, body, response)
  if (method === 'GET' && name === undefined) {
    const [key = '', value] = (url.searchParams.get('labelSelector') ?? '').split('=')
    const labels = ({ object }: SimulatedPod): unknown => (object.metadata as JsonObject).labels
    const items = [...cluster.pods.values()].filter(
      (pod) => key === '' || (isObject(labels(pod)) && (labels(pod) as JsonObject)[key] === value),
    )
    return send(response, 200, { kind: 'PodList', items: items.map(shown) })
  }
  const pod = cluster.pods.get(name ?? '')
  if (pod === undefined) return refuse(response, 404, `pods "${name}" not found`)
  if (method === 'GET') return send(response, 200, shown(pod))
  if (method !== 'DELETE') return refuse(response, 405, 'method not allowed')
  const seconds = Number(url.searchParams.get('gracePeriodSeconds') ?? 30)
  const forget = (): void => {
    cluster.pods.delete(pod.name)
    cluster.policies.delete(pod.name)
  }
  if (seconds === 0 || pod.process?.exitCode !== null) {
    pod.process?.kill('SIGKILL')
    forget()
  } else {
    pod.process.kill('SIGTERM')
    const { process: child } = pod
    setTimeout(() => child.kill('SIGKILL'), seconds * 1000).unref()
    child.once('close', () => setTimeout(forget, 50))
  }
  send(response, 200, shown(pod))
}

function shown({ object, phase, state, reason }: SimulatedPod): JsonObject {
  return { ...object, status: { phase, ...(reason === undefined ? {} : { reason }), containerStatuses: [{ name: 'server', state }] } }
}

function create(cluster: SimulatedCluster, body: unknown, response: ServerResponse): void {
  const why = whyRefused('V1Pod', body, namespace)
  if (why !== undefined) return refuse(response, 422, why)
  const object = body as JsonObject
  const metadata: JsonObject = { ...(object.metadata as JsonObject), uid: randomUUID() }
  const pod: SimulatedPod = {
    object: { ...object, metadata },
    name: String(metadata.name),
    socket: undefined,
    process: undefined,
    state: { waiting: cluster.waiting ?? { reason: 'ContainerCreating' } },
    phase: 'Pending',
    isOutOfMemory: false,
  }
  cluster.pods.set(pod.name, pod)
  cluster.made.push(pod)
  send(response, 201, shown(pod))
  if (cluster.waiting === undefined) setTimeout(() => run(pod), 50)
}

interface SimulatedContainer {
  readonly args?: readonly string[]
  readonly env: readonly { readonly name: string; readonly value: string }[]
}

function run(pod: SimulatedPod): void {
  const [container] = (pod.object.spec as JsonObject).containers as unknown as readonly SimulatedContainer[]
  const env: Record<string, string> = {}
  // As the kubelet does it: from left to right, `$$` is `$`, and what is not known stays as it is.
  const expanded = (text: string): string =>
    text.replace(/\$\$|\$\(([^)]*)\)/g, (whole, name?: string) => (whole === '$$' ? '$' : (env[name ?? ''] ?? whole)))
  for (const { name, value } of container?.env ?? []) env[name] = expanded(value)
  const [command = '', ...args] = (container?.args ?? []).map(expanded)
  const child = spawn(command === 'node' ? process.execPath : command, args, { env: { PATH: '/usr/bin:/bin', ...env }, cwd: '/' })
  pod.process = child
  pod.phase = 'Running'
  pod.state = { running: { startedAt: new Date().toISOString() } }
  child.stdin.on('error', () => {})
  const channel = (number: number) => (chunk: Buffer) => pod.socket?.send(Buffer.concat([Buffer.of(number), chunk]))
  child.stdout.on('data', channel(1))
  child.stderr.on('data', channel(2))
  child.once('close', (code, signal) => {
    const exitCode = signal === null ? (code ?? 0) : signal === 'SIGKILL' ? 137 : 143
    pod.socket?.send(Buffer.concat([Buffer.of(3), Buffer.from('{"status":"Success"}')]))
    pod.socket?.close()
    // The kubelet tells a moment later.
    setTimeout(() => {
      pod.phase = exitCode === 0 ? 'Succeeded' : 'Failed'
      pod.state = { terminated: { exitCode, reason: pod.isOutOfMemory ? 'OOMKilled' : exitCode === 0 ? 'Completed' : 'Error' } }
    }, 50)
  })
}

function attach(pod: SimulatedPod, socket: WebSocket): void {
  pod.socket = socket
  const { stdin } = pod.process ?? {}
  socket.on('error', () => {})
  socket.on('message', (data: Buffer) => {
    if (data[0] === 0) stdin?.write(data.subarray(1))
    if (data[0] === 255 && data[1] === 0 && socket.protocol === 'v5.channel.k8s.io') stdin?.end()
  })
  socket.on('close', () => stdin?.end())
}
