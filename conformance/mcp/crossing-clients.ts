/** Clients without a library that all use the same ids, tokens and names, each with a word of its own. Half of them are of each era. */
import type { Json } from '../harness/json.ts'

export const extension = 'io.modelcontextprotocol/tasks'

export interface Person {
  readonly number: number
  readonly key: string
  readonly era: 'legacy' | 'modern'
  /** Occurs in nobody else's arguments. */
  readonly word: string
}

export function people(count: number): Person[] {
  return Array.from({ length: count }, (_, number) => ({
    number,
    key: `tw_crossing_${String(number).padStart(4, '0')}_000000000000`,
    era: number % 2 === 0 ? 'legacy' : 'modern',
    word: `word-${number}-${Math.random().toString(36).slice(2)}`,
  }))
}

export interface Heard {
  /** The response. */
  readonly answer: Json
  /** Everything that came, text and all. */
  readonly text: string
  readonly progress: readonly Json[]
}

/** Each at its own address: where there are several processes they come to different ones. */
export class CrossingClient {
  readonly person: Person
  readonly #url: string
  #session: string | undefined

  constructor(url: string, person: Person) {
    this.person = person
    this.#url = `${url}/mcp/main`
  }

  async open(): Promise<this> {
    if (this.person.era === 'modern') return this
    const params = { protocolVersion: '2025-11-25', capabilities: {}, clientInfo: { name: 'crossing', version: '1' } }
    const response = await this.#post({ id: 1, method: 'initialize', params })
    this.#session = response.headers.get('mcp-session-id') ?? undefined
    await response.text()
    await (await this.#post({ method: 'notifications/initialized' })).text()
    return this
  }

  /** Every request of everybody has the same id and the same token. What the disk was too slow for did not run, and is asked again. */
  async ask(method: string, params: Json, id: number | string = 7): Promise<Heard> {
    for (;;) {
      const heard = await this.#askOnce(method, params, id)
      if (!wasNotRecorded(heard.text)) return heard
    }
  }

  async #askOnce(method: string, params: Json, id: number | string): Promise<Heard> {
    const response = await this.#post({ id, method, params: { ...params, _meta: { ...this.#meta, progressToken: 'p' } } })
    const text = await response.text()
    const messages = text.startsWith('{')
      ? [JSON.parse(text) as Json]
      : [...text.matchAll(/^data: (.+)$/gm)].map((match) => JSON.parse(match[1] ?? '{}') as Json)
    return {
      answer: messages.at(-1) ?? {},
      text,
      progress: messages.filter((one) => one['method'] === 'notifications/progress').map((one) => one['params'] as Json),
    }
  }

  call(name: string, args: Json = { word: this.person.word }, id?: number | string): Promise<Heard> {
    return this.ask('tools/call', { name, arguments: args }, id)
  }

  /** As each era does it: a notification, or a closed connection. Returns the way to cancel a call of `hang`. */
  hang(): () => Promise<void> {
    const stop = new AbortController()
    const params = { name: 'old__hang', arguments: { word: this.person.word }, _meta: this.#meta }
    const run = async (): Promise<void> => {
      let said: string
      do said = await (await this.#post({ id: 7, method: 'tools/call', params }, stop.signal)).text()
      while (wasNotRecorded(said))
    }
    run().catch(() => {})
    return async () => {
      if (this.person.era === 'modern') stop.abort()
      else await (await this.#post({ method: 'notifications/cancelled', params: { requestId: 7 } })).text()
    }
  }

  /** Watches a resource. Returns all that is heard on the stream, as it grows, and whether the resource may be watched. */
  async watch(
    uris: readonly string[],
    signal: AbortSignal,
  ): Promise<{ readonly heard: () => string; readonly refused: readonly string[] }> {
    let heard = ''
    const refused: string[] = []
    const follow = (response: Response): void => {
      const decoder = new TextDecoder()
      const read = async (): Promise<void> => {
        for await (const chunk of response.body ?? []) heard += decoder.decode(chunk as Uint8Array, { stream: true })
      }
      read().catch(() => {})
    }
    if (this.person.era === 'legacy') {
      follow(await fetch(this.#url, { headers: { ...this.#headers('GET'), accept: 'text/event-stream' }, signal }))
      for (const uri of uris) if ((await this.ask('resources/subscribe', { uri })).answer['error'] !== undefined) refused.push(uri)
    } else {
      const params = { notifications: { resourceSubscriptions: [...uris] }, _meta: this.#meta }
      follow(await this.#post({ id: 7, method: 'subscriptions/listen', params }, signal))
    }
    return { heard: () => heard, refused }
  }

  get #meta(): Json {
    if (this.person.era === 'legacy') return {}
    return {
      'io.modelcontextprotocol/protocolVersion': '2026-07-28',
      'io.modelcontextprotocol/clientInfo': { name: 'crossing', version: '1' },
      'io.modelcontextprotocol/clientCapabilities': { extensions: { [extension]: {} } },
    }
  }

  #headers(method: string, params: Json = {}): Record<string, string> {
    const name: unknown = params['name'] ?? params['uri'] ?? params['taskId']
    return {
      authorization: `Bearer ${this.person.key}`,
      ...(this.person.era === 'modern'
        ? {
            'mcp-protocol-version': '2026-07-28',
            'mcp-method': method,
            ...(typeof name === 'string' ? { 'mcp-name': name } : {}),
          }
        : this.#session === undefined
          ? {}
          : { 'mcp-session-id': this.#session, 'mcp-protocol-version': '2025-11-25' }),
    }
  }

  #post(message: Json, signal?: AbortSignal): Promise<Response> {
    return fetch(this.#url, {
      method: 'POST',
      headers: {
        'content-type': 'application/json',
        accept: 'application/json, text/event-stream',
        ...this.#headers(String(message['method']), message['params'] as Json | undefined),
      },
      body: JSON.stringify({ jsonrpc: '2.0', ...message }),
      ...(signal === undefined ? {} : { signal }),
    })
  }
}

function wasNotRecorded(text: string): boolean {
  return text.includes('"audit.unwritable"')
}
