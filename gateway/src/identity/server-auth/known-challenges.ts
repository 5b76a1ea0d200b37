/** What servers said when they refused requests that showed nothing: where they describe themselves, and which scopes they want. */
import type { McpServer } from '../../config/snapshot.ts'
import { BoundedMap } from '../../core/bounded-map.ts'
import type { Challenge, Refusal } from './auth-kind.ts'

const mostServers = 1000

export class KnownChallenges {
  readonly #known = new BoundedMap<string, Challenge>({ most: mostServers })

  /** The latest; undefined where the server has not been asked like this. */
  of = ({ digest }: McpServer): Challenge | undefined => this.#known.get(digest)

  /** A 401 says where the server describes itself, whatever was sent. Which scopes it wants at all is said to who showed nothing. */
  note({ digest }: McpServer, { challenge, headers }: Refusal): void {
    if (challenge.status !== 401) return
    const showedNothing = Object.keys(headers.headers).length === 0
    const before = this.#known.get(digest)
    this.#known.set(digest, showedNothing || before === undefined ? challenge : { ...challenge, scope: challenge.scope ?? before.scope })
  }
}
