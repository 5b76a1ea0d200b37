/** MCP clients of PyPI as the suite has them: an environment for a library, and a process for a connection. */
import { execFileSync, spawn, spawnSync } from 'node:child_process'
import { createInterface } from 'node:readline'
import { join } from 'node:path'
import { within } from '../harness/until.ts'
import {
  textOfContents,
  textOfMessages,
  toolAnswer,
  type Ability,
  type CallOptions,
  type ConnectedClient,
  type McpClient,
} from '../mcp/clients/mcp-client.ts'

/** Whether there is a Python that can make environments. */
export const hasPython = spawnSync('python3', ['-m', 'venv', '--help']).status === 0

/** Makes an environment in a folder and installs the newest version that fits. Returns its Python and what was installed. */
export function installPython(folder: string, requirement: string): { readonly python: string; readonly version: string } {
  execFileSync('python3', ['-m', 'venv', folder])
  const python = join(folder, 'bin/python')
  execFileSync(python, ['-m', 'pip', 'install', '--quiet', '--disable-pip-version-check', requirement])
  const name = /^[\w-]+/.exec(requirement)?.[0] ?? ''
  return {
    python,
    version: execFileSync(python, ['-c', `import importlib.metadata as m; print(m.version('${name}'))`], { encoding: 'utf8' }).trim(),
  }
}

export interface PythonLibrary {
  readonly library: 'mcp' | 'mcp<2' | 'fastmcp'
  readonly mode: 'auto' | 'legacy'
  readonly can: readonly Ability[]
  /** Its Python, once it is installed. */
  readonly python: () => string
}

export function pythonClient({ library, mode, can, python }: PythonLibrary): McpClient {
  return {
    name: `${library} ${mode}`,
    can,
    async connect(url, key, { headers = {}, answers = {} } = {}) {
      const settings = { library, mode, url, headers: { ...headers, authorization: `Bearer ${key}` }, answers }
      return connected(python(), JSON.stringify(settings))
    },
  }
}

interface Said {
  readonly id?: number
  readonly ready?: true
  readonly result?: unknown
  readonly error?: string
  readonly progress?: number
}

interface Waiting {
  readonly options: CallOptions
  readonly resolve: (result: unknown) => void
  readonly reject: (error: Error) => void
}

async function connected(python: string, settings: string): Promise<ConnectedClient> {
  const child = spawn(python, [join(import.meta.dirname, 'python-client.py'), settings], { stdio: ['pipe', 'pipe', 'pipe'] })
  const waiting = new Map<number, Waiting>()
  let complaints = ''
  let ids = 0
  child.stderr.setEncoding('utf8').on('data', (text: string) => (complaints += text))
  const ended = new Promise<void>((resolve) => child.once('close', () => resolve()))
  const ready = Promise.withResolvers<void>()
  createInterface({ input: child.stdout }).on('line', (line) => {
    const { id = 0, ready: isReady, result, error, progress } = JSON.parse(line) as Said
    const one = waiting.get(id)
    if (isReady) ready.resolve()
    else if (progress !== undefined) one?.options.onProgress?.(progress)
    else if (waiting.delete(id) && error !== undefined) one?.reject(new Error(error))
    else one?.resolve(result)
  })
  void ended.then(() => {
    const gone = new Error(`the client has ended:\n${complaints}`)
    ready.reject(gone)
    for (const { reject } of waiting.values()) reject(gone)
  })
  await within('a connection of the Python client', ready.promise)
  const tell = (message: object): void => void child.stdin.write(`${JSON.stringify(message)}\n`)
  const ask = <T>(op: string, more: object = {}, options: CallOptions = {}): Promise<T> =>
    new Promise<unknown>((resolve, reject) => {
      ids += 1
      const id = ids
      waiting.set(id, { options, resolve, reject })
      options.signal?.addEventListener('abort', () => tell({ cancel: id }))
      tell({ id, op, progress: options.onProgress !== undefined, ...more })
    }) as Promise<T>
  return {
    tools: () => ask('tools'),
    call: async (name, args, options) => toolAnswer(await ask<object>('call', { name, args }, options)),
    resources: () => ask('resources'),
    read: async (uri) => textOfContents(await ask<object[]>('read', { uri })),
    prompts: () => ask('prompts'),
    prompt: async (name, args) => textOfMessages(await ask<{ content: unknown }[]>('prompt', { name, args })),
    async close() {
      child.stdin.end()
      await within('the end of the Python client', ended)
    },
  }
}
