/**
 * The API of the Docker Engine over its unix socket, as much of it as starting a server needs. Knows nothing of servers. It
 * speaks version 1.44, or the engine's own where that is older.
 */
import { request, type IncomingMessage } from 'node:http'
import type { Duplex } from 'node:stream'

export interface EngineAnswer {
  readonly status: number
  /** Parsed JSON; undefined when there is none. */
  readonly body: unknown
}

/** The engine cannot be reached, or does not answer as its API says. `message` is for the administrator. */
export class EngineError extends Error {
  override readonly name = 'EngineError'
}

const newest = [1, 44] as const
const oldest = [1, 41] as const
const askMs = 30_000
const mostBytes = 8 * 1024 * 1024
/** Of what the engine says is wrong. */
const longestMessage = 300

export class EngineApi {
  readonly #socket: string
  #version: string | undefined

  /** `socket`: absolute path. */
  constructor(socket: string) {
    this.#socket = socket
  }

  /** One request; a body is sent as JSON. `timeoutMs`: 0 waits for ever. Rejects with EngineError when there is no answer. */
  async ask(method: string, path: string, options: { readonly body?: object; readonly timeoutMs?: number } = {}): Promise<EngineAnswer> {
    const response = await this.#send(method, `${await this.#prefix()}${path}`, options)
    return this.#read(response)
  }

  /** Likewise; anything but success is an EngineError with what the engine says. */
  async must(method: string, path: string, options: { readonly body?: object; readonly timeoutMs?: number } = {}): Promise<unknown> {
    const { status, body } = await this.ask(method, path, options)
    if (status < 200 || status > 299) throw new EngineError(`the Docker Engine answered ${status}: ${messageOf(body)}`)
    return body
  }

  /** The answer of a request line by line, as the engine reports progress. */
  async lines(method: string, path: string, onLine: (line: unknown) => void): Promise<void> {
    const response = await this.#send(method, `${await this.#prefix()}${path}`, { timeoutMs: 0 })
    if (response.statusCode !== 200) {
      const { status, body } = await this.#read(response)
      throw new EngineError(`the Docker Engine answered ${status}: ${messageOf(body)}`)
    }
    let rest = ''
    response.setEncoding('utf8')
    for await (const chunk of response as AsyncIterable<string>) {
      const lines = (rest + chunk).split('\n')
      rest = (lines.pop() ?? '').slice(0, mostBytes)
      for (const line of lines) onLine(parsed(line))
    }
    onLine(parsed(rest))
  }

  /** The connection that becomes the streams of a container (ContainerAttach, "Hijacking"). */
  async attach(id: string): Promise<Duplex> {
    const path = `${await this.#prefix()}/containers/${id}/attach?stream=1&stdin=1&stdout=1&stderr=1`
    return new Promise((resolve, reject) => {
      const asking = request({
        socketPath: this.#socket,
        method: 'POST',
        path,
        headers: { host: 'docker', connection: 'Upgrade', upgrade: 'tcp' },
        agent: false,
      })
      asking.once('upgrade', (_response, socket, head) => {
        if (head.length > 0) socket.unshift(head)
        resolve(socket)
      })
      asking.once('response', (response) => {
        this.#read(response).then(
          ({ status, body }) => reject(new EngineError(`the Docker Engine did not attach: ${status} ${messageOf(body)}`)),
          reject,
        )
      })
      asking.once('error', (error) => reject(this.#unreachable(error)))
      asking.end()
    })
  }

  async #prefix(): Promise<string> {
    if (this.#version !== undefined) return this.#version
    const response = await this.#send('GET', '/_ping', {})
    await this.#read(response)
    const told = /^(\d+)\.(\d+)$/.exec(String(response.headers['api-version'] ?? ''))
    if (response.statusCode !== 200 || told === null) throw new EngineError(`what listens at ${this.#socket} is no Docker Engine`)
    const own = [Number(told[1]), Number(told[2])] as const
    if (isBefore(own, oldest))
      throw new EngineError(`the Docker Engine speaks version ${own.join('.')} of its API, and ${oldest.join('.')} is needed`)
    this.#version = `/v${(isBefore(own, newest) ? own : newest).join('.')}`
    return this.#version
  }

  #send(
    method: string,
    path: string,
    { body, timeoutMs = askMs }: { readonly body?: object; readonly timeoutMs?: number },
  ): Promise<IncomingMessage> {
    return new Promise((resolve, reject) => {
      const text = body === undefined ? undefined : JSON.stringify(body)
      const asking = request({
        socketPath: this.#socket,
        method,
        path,
        headers: {
          host: 'docker',
          ...(text === undefined ? {} : { 'content-type': 'application/json', 'content-length': Buffer.byteLength(text) }),
        },
        agent: false,
        timeout: timeoutMs,
      })
      asking.once('timeout', () => asking.destroy(new EngineError(`the Docker Engine did not answer within ${timeoutMs / 1000} s`)))
      asking.once('response', resolve)
      asking.once('error', (error) => reject(error instanceof EngineError ? error : this.#unreachable(error)))
      asking.end(text)
    })
  }

  async #read(response: IncomingMessage): Promise<EngineAnswer> {
    const chunks: Buffer[] = []
    let size = 0
    try {
      for await (const chunk of response as AsyncIterable<Buffer>) {
        size += chunk.length
        if (size > mostBytes) throw new EngineError('the Docker Engine sent a longer answer than any that is expected')
        chunks.push(chunk)
      }
    } catch (error) {
      throw error instanceof EngineError ? error : this.#unreachable(error)
    }
    return { status: response.statusCode ?? 0, body: parsed(Buffer.concat(chunks).toString('utf8')) }
  }

  #unreachable(error: unknown): EngineError {
    const code = error instanceof Error && 'code' in error ? String(error.code) : 'no answer'
    return new EngineError(`the Docker Engine cannot be reached at ${this.#socket} (${code})`, { cause: error })
  }
}

function isBefore(one: readonly [number, number], other: readonly [number, number]): boolean {
  return one[0] < other[0] || (one[0] === other[0] && one[1] < other[1])
}

/** What the engine says is wrong, on one line. */
export function messageOf(body: unknown): string {
  const message = typeof body === 'object' && body !== null && 'message' in body ? String(body.message) : 'no reason given'
  return message.replace(/\s+/g, ' ').slice(0, longestMessage)
}

function parsed(text: string): unknown {
  try {
    return text.trim() === '' ? undefined : JSON.parse(text)
  } catch {
    return undefined
  }
}
