/**
 * An engine at a unix socket that answers as the Engine API publishes, refuses what it does not publish, and runs the command
 * of a container as a process of this host. Images are names.
 */
import { spawn, type ChildProcess } from 'node:child_process'
import { randomBytes } from 'node:crypto'
import { existsSync } from 'node:fs'
import { mkdtemp, rm } from 'node:fs/promises'
import { createServer, type IncomingMessage, type ServerResponse } from 'node:http'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import type { Duplex } from 'node:stream'
import type { z } from 'zod'
import { containerCreate, operations } from './engine-definitions.fixture.ts'

type Body = z.infer<typeof containerCreate>

export interface SimulatedContainer {
  readonly id: string
  readonly name: string
  readonly body: Body
  socket: Duplex | undefined
  process: ChildProcess | undefined
  exit: { readonly code: number } | undefined
  isOutOfMemory: boolean
  readonly onExit: (() => void)[]
}

export interface SimulatedEngine extends AsyncDisposable {
  readonly socket: string
  readonly containers: Map<string, SimulatedContainer>
  /** Everything that was ever made. */
  readonly made: SimulatedContainer[]
  readonly images: Set<string>
  /** Images that can be fetched; of the others the fetch fails in the middle. */
  readonly fetchable: Set<string>
  /** `METHOD /path` of every request but pings, without the version. */
  readonly requests: string[]
  /** Told with the container that is made next. */
  warnings: string[]
  /** Version the engine speaks; 1.47 at first. */
  version: string
  /** Requests to be answered with this status and message instead: those whose `METHOD /path` matches. */
  refuse: { readonly request: RegExp; readonly status: number; readonly message: string } | undefined
  /** Writes these bytes to whoever is attached, as they are. */
  writeRaw(id: string, bytes: Buffer): void
  /** As the kernel does when the container holds more memory than it may. */
  outOfMemory(id: string): void
  /** Adds a container that somebody else made. */
  add(labels: Readonly<Record<string, string>>): string
}

/** Starts an engine that has the image `server:1`. */
export async function startEngine(): Promise<SimulatedEngine> {
  const folder = await mkdtemp(join(tmpdir(), 'turnward-engine-'))
  const containers = new Map<string, SimulatedContainer>()
  const engine: SimulatedEngine = {
    socket: join(folder, 'docker.sock'),
    containers,
    made: [],
    images: new Set(['server:1']),
    fetchable: new Set(),
    requests: [],
    warnings: [],
    version: '1.47',
    refuse: undefined,
    writeRaw: (id, bytes) => void containers.get(id)?.socket?.write(bytes),
    outOfMemory(id) {
      const container = containers.get(id)
      if (container === undefined) throw new Error('no such container')
      container.isOutOfMemory = true
      container.process?.kill('SIGKILL')
    },
    add(labels) {
      const id = randomBytes(32).toString('hex')
      containers.set(id, empty(id, 'other', { Image: 'server:1', Labels: { ...labels } }))
      return id
    },
    async [Symbol.asyncDispose]() {
      for (const { process, socket } of containers.values()) {
        process?.kill('SIGKILL')
        socket?.destroy()
      }
      server.closeAllConnections()
      await new Promise((resolve) => server.close(resolve))
      await rm(folder, { recursive: true, force: true })
    },
  }
  const server = createServer((request, response) => {
    handle(engine, request, response).catch((error: unknown) => answer(response, 500, { message: String(error) }))
  })
  server.on('upgrade', (request, socket) => attach(engine, request, socket))
  await new Promise<void>((resolve) => server.listen(engine.socket, resolve))
  return engine
}

function empty(id: string, name: string, body: Body): SimulatedContainer {
  return { id, name, body, socket: undefined, process: undefined, exit: undefined, isOutOfMemory: false, onExit: [] }
}

function answer(response: ServerResponse, status: number, body?: unknown): void {
  response.writeHead(status, { 'content-type': 'application/json' }).end(body === undefined ? undefined : JSON.stringify(body))
}

/** The path without its version, if the request is one that is published. */
function published(engine: SimulatedEngine, request: IncomingMessage): URL | string {
  const url = new URL(request.url ?? '/', 'http://docker')
  const [, version = '', path = ''] = /^\/v(1\.\d+)(\/.*)$/.exec(url.pathname) ?? []
  if (version === '') return 'no version'
  if (Number(version.split('.')[1]) > Number(engine.version.split('.')[1]))
    return `client version ${version} is too new. Maximum supported API version is ${engine.version}`
  url.pathname = path
  const operation = operations.find(({ method, path: known }) => method === request.method && known.test(path))
  if (operation === undefined) return 'page not found'
  for (const name of url.searchParams.keys()) if (!operation.query.includes(name)) return `unknown parameter ${name}`
  engine.requests.push(`${request.method} ${path}`)
  return url
}

async function handle(engine: SimulatedEngine, request: IncomingMessage, response: ServerResponse): Promise<void> {
  const chunks: Buffer[] = []
  for await (const chunk of request as AsyncIterable<Buffer>) chunks.push(chunk)
  if (request.url === '/_ping') {
    response.writeHead(200, { 'api-version': engine.version, 'content-type': 'text/plain' }).end('OK')
    return
  }
  const url = published(engine, request)
  if (typeof url === 'string') return answer(response, 400, { message: url })
  if (engine.refuse?.request.test(`${request.method} ${url.pathname}`) === true)
    return answer(response, engine.refuse.status, { message: engine.refuse.message })
  const [, kind, first = '', verb = ''] = url.pathname.split('/')
  if (kind === 'images') return images(engine, url, first, response)
  if (request.method === 'GET' && first === 'json') return list(engine, url, response)
  if (first === 'create') return create(engine, url, JSON.parse(Buffer.concat(chunks).toString()), response)
  const container = engine.containers.get(first)
  if (container === undefined) return answer(response, 404, { message: `No such container: ${first}` })
  return act(engine, container, request.method === 'DELETE' ? 'remove' : verb, url, response)
}

function images(engine: SimulatedEngine, url: URL, name: string, response: ServerResponse): void {
  if (name !== 'create') {
    const image = decodeURIComponent(name)
    if (engine.images.has(image)) return answer(response, 200, { Id: 'sha256:0', RepoTags: [image] })
    return answer(response, 404, { message: `No such image: ${image}` })
  }
  const image = url.searchParams.get('fromImage') ?? ''
  response.writeHead(200, { 'content-type': 'application/json' })
  response.write(`{"status":"Pulling from ${image}"}\r\n{"status":"Down`)
  setImmediate(() => {
    if (engine.fetchable.has(image)) {
      engine.images.add(image)
      response.end('loading"}\r\n{"status":"Status: Downloaded newer image"}\r\n')
    } else response.end('loading"}\r\n{"errorDetail":{"message":"manifest unknown"},"error":"manifest unknown"}\r\n')
  })
}

function list(engine: SimulatedEngine, url: URL, response: ServerResponse): void {
  const { label = [] } = JSON.parse(url.searchParams.get('filters') ?? '{}') as { label?: string[] }
  const matching = [...engine.containers.values()].filter(({ body, exit }) => {
    if (exit !== undefined && url.searchParams.get('all') !== '1') return false
    return label.every((wanted) => Object.entries(body.Labels ?? {}).some(([name, value]) => `${name}=${value}` === wanted))
  })
  answer(
    response,
    200,
    matching.map(({ id, name, body }) => ({ Id: id, Names: [`/${name}`], Labels: body.Labels })),
  )
}

function create(engine: SimulatedEngine, url: URL, text: unknown, response: ServerResponse): void {
  const name = url.searchParams.get('name') ?? ''
  if (!/^[a-zA-Z0-9][a-zA-Z0-9_.-]+$/.test(name)) return answer(response, 400, { message: `Invalid container name (${name})` })
  const parsed = containerCreate.safeParse(text)
  if (!parsed.success) return answer(response, 400, { message: parsed.error.message })
  const { data: body } = parsed
  if (!engine.images.has(body.Image)) return answer(response, 404, { message: `No such image: ${body.Image}` })
  for (const { Source = '' } of body.HostConfig?.Mounts ?? [])
    if (!existsSync(Source)) return answer(response, 400, { message: `invalid mount config: bind source path does not exist: ${Source}` })
  const container = empty(randomBytes(32).toString('hex'), name, body)
  engine.containers.set(container.id, container)
  engine.made.push(container)
  answer(response, 201, { Id: container.id, Warnings: engine.warnings })
}

function attach(engine: SimulatedEngine, request: IncomingMessage, socket: Duplex): void {
  const url = published(engine, request)
  const container = typeof url === 'string' ? undefined : engine.containers.get(url.pathname.split('/')[2] ?? '')
  if (container === undefined || request.headers.upgrade !== 'tcp') {
    socket.end('HTTP/1.1 404 Not Found\r\ncontent-type: application/json\r\ncontent-length: 31\r\n\r\n{"message":"No such container"}')
    return
  }
  container.socket = socket
  socket.on('error', () => {})
  socket.on('end', () => {
    if (container.process === undefined) socket.destroy()
  })
  socket.write(
    'HTTP/1.1 101 UPGRADED\r\nContent-Type: application/vnd.docker.multiplexed-stream\r\nConnection: Upgrade\r\nUpgrade: tcp\r\n\r\n',
  )
}

function run(container: SimulatedContainer): void {
  const { body, socket } = container
  const [command = '', ...args] = body.Cmd ?? []
  const env = Object.fromEntries((body.Env ?? []).map((entry) => [entry.slice(0, entry.indexOf('=')), entry.slice(entry.indexOf('=') + 1)]))
  const child = spawn(command === 'node' ? process.execPath : command, args, { env: { PATH: '/usr/bin:/bin', ...env }, cwd: '/' })
  container.process = child
  child.stdin.on('error', () => {})
  if (body.OpenStdin === true) {
    socket?.on('data', (chunk: Buffer) => void child.stdin.write(chunk))
    if (body.StdinOnce === true) for (const event of ['end', 'close']) socket?.on(event, () => child.stdin.end())
  }
  const frame = (stream: number) => (chunk: Buffer) => {
    const header = Buffer.alloc(8)
    header[0] = stream
    header.writeUInt32BE(chunk.length, 4)
    // In pieces, as a network may carry it.
    for (const piece of [header.subarray(0, 3), header.subarray(3), chunk.subarray(0, 1), chunk.subarray(1)]) socket?.write(piece)
  }
  child.stdout.on('data', frame(1))
  child.stderr.on('data', frame(2))
  child.once('close', (code, signal) => {
    container.exit = { code: signal === null ? (code ?? 0) : signal === 'SIGKILL' ? 137 : 143 }
    socket?.end()
    for (const listener of container.onExit.splice(0)) listener()
  })
}

function act(engine: SimulatedEngine, container: SimulatedContainer, verb: string, url: URL, response: ServerResponse): void {
  const { exit, process: child } = container
  const isRunning = child !== undefined && exit === undefined
  const exited = (then: () => void): void => void (isRunning ? container.onExit.push(then) : then())
  switch (verb) {
    case 'start':
      run(container)
      return answer(response, 204)
    case 'json':
      return answer(response, 200, {
        Id: container.id,
        State: { Running: isRunning, ExitCode: exit?.code ?? 0, OOMKilled: container.isOutOfMemory },
      })
    case 'wait':
      response.writeHead(200, { 'content-type': 'application/json' }).flushHeaders()
      return exited(() => response.end(JSON.stringify({ StatusCode: container.exit?.code ?? 0 })))
    case 'kill':
      if (!isRunning) return answer(response, 409, { message: 'is not running' })
      child.kill('SIGKILL')
      return answer(response, 204)
    case 'stop':
      if (!isRunning) return answer(response, 304)
      child.kill('SIGTERM')
      setTimeout(() => child.kill('SIGKILL'), Number(url.searchParams.get('t')) * 1000).unref()
      return exited(() => answer(response, 204))
    case 'remove':
      if (isRunning && url.searchParams.get('force') !== '1') return answer(response, 409, { message: 'is running' })
      child?.kill('SIGKILL')
      engine.containers.delete(container.id)
      return answer(response, 204)
    default:
      return answer(response, 404, { message: 'page not found' })
  }
}
