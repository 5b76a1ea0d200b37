/**
 * Which era each started server speaks, as it was found out: asking takes a child of its own, so that a gateway that starts
 * again would start everything twice. What is remembered is believed only as long as it works.
 */
import type { McpServer } from '../../config/snapshot.ts'
import type { Clock } from '../../core/clock.ts'
import type { StateStore } from '../../state/state-store.ts'
import type { Era } from '../codec/versions.ts'

const lifetimeMs = 90 * 24 * 3_600_000

export class RememberedEras {
  readonly #state: Pick<StateStore, 'get' | 'put' | 'change'>
  readonly #clock: Clock

  constructor(state: Pick<StateStore, 'get' | 'put' | 'change'>, clock: Clock) {
    this.#state = state
    this.#clock = clock
  }

  /** Of a server with exactly this configuration. Undefined as well where nobody can say now. */
  async of(server: McpServer): Promise<Era | undefined> {
    try {
      return await this.#state.get('era', keyOf(server))
    } catch {
      return undefined
    }
  }

  /** What is not remembered is asked again: that costs a start, so failures are nobody's business. */
  async note(server: McpServer, era: Era): Promise<void> {
    try {
      await this.#state.put('era', keyOf(server), era, this.#clock.now() + lifetimeMs)
    } catch {
      // As said above.
    }
  }

  async forget(server: McpServer): Promise<void> {
    try {
      await this.#state.change('era', keyOf(server), () => ({ value: undefined, expires: 0, result: undefined }))
    } catch {
      // What is wrong is found out again.
    }
  }
}

function keyOf({ name, digest }: McpServer): string {
  return `${name} ${digest}`
}
