/** What an entrance is, and how a request finds its own: one table of paths, methods and who may come in. Knows no floor. */
import type { IncomingMessage, ServerResponse } from 'node:http'
import type { Duplex } from 'node:stream'
import type { Role } from '../identity/people/roles.ts'
import type { DialectName } from '../wire/dialect.ts'

export interface Entrance {
  /**
   * `/v1/models/{name}`: a segment in braces stands for any one segment of up to 64 characters; with dots before the brace
   * closes (`{name...}`), for all that follows, up to what stands behind the brace. Where several segments stand in braces, what is
   * handed on is all from the first of them to the last.
   */
  readonly path: string
  /** Whoever answers GET answers HEAD, with the same head (RFC 9110, section 9.3.2). `own`: the room behind it tells methods apart itself. */
  readonly methods: readonly string[] | 'own'
  /**
   * Who may come in. A `caller` is authenticated behind the entrance, before anything of the request is read; a `replica` has the
   * secret of the cluster, `scim` the token of a directory; a `person` shows a key or token with the scope `admin`, or has signed in,
   * and for a role holds it; at a `browser` somebody is signed in, or is sent to sign in, or is told that there is nothing.
   */
  readonly needs: 'anyone' | 'caller' | 'replica' | 'browser' | 'scim' | 'person' | { readonly role: Role }
  /** What its requests and answers are written in; undefined where clients of several dialects come. */
  readonly dialect?: DialectName
  /** What it was put together from, where other methods need something else. */
  readonly parts?: readonly Entrance[]
  /** Answered while the gateway drains as well. */
  readonly isProbe?: boolean
  readonly handle: (request: IncomingMessage, response: ServerResponse, parameter: string) => Promise<void> | void
  /** Answers a client that asks for a WebSocket here. Rejects with why it gets none, as long as nothing has been answered. */
  readonly upgrade?: (upgrade: Upgrade) => Promise<void>
}

/** A request for a WebSocket, and the connection it came on with the bytes that came after it. */
export interface Upgrade {
  readonly request: IncomingMessage
  readonly socket: Duplex
  readonly head: Buffer
}

export interface Found {
  readonly entrance: Entrance
  /** What stands in the place of the braces; empty without any. */
  readonly parameter: string
}

/** An entrance whose path has braces. */
interface OpenEntrance {
  readonly entrance: Entrance
  /** What stands before the first brace, and behind the last. */
  readonly start: string
  readonly end: string
  /** How many segments stand in braces. */
  readonly segments: number
  readonly takesRest: boolean
}

/** Longest segment, where several stand in braces; where it is one, an id. */
const longestId = 64
const longestSegment = 512

export class EntranceTable {
  readonly #exact: ReadonlyMap<string, Entrance>
  readonly #open: readonly OpenEntrance[]

  constructor(entrances: readonly Entrance[]) {
    this.#exact = new Map(entrances.filter(({ path }) => !path.includes('{')).map((entrance) => [entrance.path, entrance]))
    this.#open = entrances
      .filter(({ path }) => path.includes('{'))
      .map((entrance) => ({
        entrance,
        start: entrance.path.slice(0, entrance.path.indexOf('{')),
        end: entrance.path.slice(entrance.path.lastIndexOf('}') + 1),
        segments: entrance.path.split('{').length - 1,
        takesRest: entrance.path.includes('...}'),
      }))
  }

  /** The entrance at a path (without its query), one that takes the method if there is one; undefined when there is none. */
  find(path: string, method?: string): Found | undefined {
    const exact = this.#exact.get(path)
    if (exact !== undefined) return { entrance: exact, parameter: '' }
    let other: Found | undefined
    for (const open of this.#open) {
      const { entrance, start, end } = open
      if (!path.startsWith(start) || !path.endsWith(end)) continue
      // Whoever knows more of the path says which methods it takes.
      if (other !== undefined && start.length < other.entrance.path.indexOf('{')) continue
      const parameter = path.slice(start.length, path.length - end.length)
      if (!fits(open, parameter)) continue
      if (method === undefined || allowedMethods(entrance)?.includes(method) !== false) return { entrance, parameter }
      other ??= { entrance, parameter }
    }
    return other
  }
}

function fits({ segments, takesRest }: OpenEntrance, parameter: string): boolean {
  if (segments === 1) return parameter !== '' && (takesRest || (parameter.length <= longestId && !parameter.includes('/')))
  const parts = parameter.split('/')
  const isCounted = takesRest ? parts.length >= segments : parts.length === segments
  return isCounted && parts.every((part) => part !== '' && part.length <= longestSegment)
}

/** Methods a client may use here, for `allow`. Undefined when only the room behind it knows. */
export function allowedMethods({ methods }: Entrance): readonly string[] | undefined {
  if (methods === 'own') return undefined
  return methods.includes('GET') ? [...methods, 'HEAD'] : methods
}

/** Entrances at one path that take other methods as one, which knows all methods of the path. */
export function mergedByPath(entrances: readonly Entrance[]): readonly Entrance[] {
  const merged = new Map<string, Entrance>()
  for (const entrance of entrances) {
    const key = entrance.path.replaceAll(/\{\w+/g, '{')
    const other = merged.get(key)
    merged.set(key, other === undefined ? entrance : together(other, entrance))
  }
  return [...merged.values()]
}

function together(one: Entrance, other: Entrance): Entrance {
  if (one.methods === 'own' || other.methods === 'own') throw new TypeError(`two entrances at ${one.path}`)
  const isOnes = (method: string): boolean => allowedMethods(one)?.includes(method) === true
  return {
    ...one,
    parts: [...(one.parts ?? [one]), ...(other.parts ?? [other])],
    methods: [...one.methods, ...other.methods],
    handle: (request, response, parameter) => (isOnes(request.method ?? '') ? one : other).handle(request, response, parameter),
  }
}

/**
 * A request target in absolute form (RFC 9112, section 3.2.2) as the path it names, with the host it names, which counts
 * instead of the header. Any other target stays as it is.
 */
export function settleTarget(request: IncomingMessage): void {
  const { url = '/' } = request
  if (url.startsWith('/')) return
  const parts = /^https?:\/\/([^/?#@]*)([^#]*)/i.exec(url)
  if (parts === null) return
  const [, host = '', rest = ''] = parts
  request.url = rest.startsWith('/') ? rest : `/${rest}`
  request.headers.host = host
}
