/** The hosts a server has tried and must not reach: each is told once, with the line that would allow it, and none is ever added. */
import type { EgressRefusal } from '../../config/egress-rules.ts'
import type { Logger } from '../../core/logger.ts'
import { keepRefusedHosts } from './refused-hosts-file.ts'

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
  readonly #file: string | undefined
  readonly #hosts = new Map<string, RefusedHost>()
  /** What is being written to the file; one write at a time. */
  #keeping: Promise<void> | undefined
  /** A write that has not begun will take what is noted meanwhile. */
  #isWaiting = false

  /** `file`: where they are kept for an administrator, if anywhere. */
  constructor(server: string, logger: Logger, file?: string) {
    this.#server = server
    this.#logger = logger
    this.#file = file
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
    this.#keep()
    const last = this.#hosts.size === maxHosts ? { last: true } : {}
    const add = refusal.add === undefined ? {} : { add: `servers.${this.#server}.network: - ${refusal.add}` }
    this.#logger.warn({ server: this.#server, host, port, why: refusal.why, ...add, ...last }, 'refused a connection of a sandboxed server')
  }

  /** In the order in which they were tried first. */
  list(): readonly RefusedHost[] {
    return [...this.#hosts.values()]
  }

  /** Resolves when everything noted so far is in the file. */
  async kept(): Promise<void> {
    await this.#keeping
  }

  #keep(): void {
    const file = this.#file
    if (file === undefined || this.#isWaiting) return
    this.#isWaiting = true
    this.#keeping = (this.#keeping ?? Promise.resolve()).then(() => {
      this.#isWaiting = false
      return keepRefusedHosts(file, this.list())
    })
  }
}

/** What the server itself is told. */
export function refusalText(server: string, { why, add }: EgressRefusal): string {
  const line =
    add === undefined ? '' : ` Whoever administers the gateway can allow it with this line in \`servers.${server}.network\`: - ${add}`
  return `Turnward refused this connection: ${why}.${line}\n`
}
