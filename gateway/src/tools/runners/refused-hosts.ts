/** The hosts a server has tried and must not reach: each is told once, with the line that would allow it, and none is ever added. */
import type { EgressRefusal } from '../../config/egress-rules.ts'
import type { Logger } from '../../core/logger.ts'

export interface RefusedHost extends EgressRefusal {
  /** Lower case; `invalid` where what was asked for is no host. */
  readonly host: string
  readonly port: number
  /** How often it was tried. */
  readonly times: number
}

/** A server that tries more than these is scanning, and nobody reads a longer list. */
const maxHosts = 100

export class RefusedHosts {
  readonly #server: string
  readonly #logger: Logger
  readonly #hosts = new Map<string, RefusedHost>()

  constructor(server: string, logger: Logger) {
    this.#server = server
    this.#logger = logger
  }

  note(host: string, port: number, refusal: EgressRefusal): void {
    const key = `${host}:${port}`
    const known = this.#hosts.get(key)
    if (known !== undefined) {
      this.#hosts.set(key, { ...known, ...refusal, times: known.times + 1 })
      return
    }
    if (this.#hosts.size >= maxHosts) return
    this.#hosts.set(key, { host, port, ...refusal, times: 1 })
    const last = this.#hosts.size === maxHosts ? { last: true } : {}
    const add = refusal.add === undefined ? {} : { add: `servers.${this.#server}.network: - ${refusal.add}` }
    this.#logger.warn({ server: this.#server, host, port, why: refusal.why, ...add, ...last }, 'refused a connection of a sandboxed server')
  }

  /** In the order in which they were tried first. */
  list(): readonly RefusedHost[] {
    return [...this.#hosts.values()]
  }
}

/** What the server itself is told. */
export function refusalText(server: string, { why, add }: EgressRefusal): string {
  const line =
    add === undefined ? '' : ` Whoever administers the gateway can allow it with this line in \`servers.${server}.network\`: - ${add}`
  return `Turnward refused this connection: ${why}.${line}\n`
}
