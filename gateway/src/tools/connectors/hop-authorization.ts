/**
 * The headers that the requests of one hop go out with, where they are not fixed: asked for each time, since what they hold
 * ends, and once more with what the server said when it refused them.
 */
import type { McpServer, Snapshot } from '../../config/snapshot.ts'
import type { CancelSignal } from '../../core/cancellation.ts'
import { digestJson } from '../../core/hash.ts'
import type { Caller } from '../../core/principal.ts'
import { noHeaders, type ServerHeaders } from '../../identity/server-auth/auth-kind.ts'
import { readChallenge } from '../../identity/server-auth/challenge.ts'
import type { ServerCredentials } from '../../identity/server-auth/server-credentials.ts'
import type { HttpAnswer } from './http-answer.ts'

/** How often one request is sent again with other headers: a token that has ended, and one that needs more scopes. */
const mostRefusals = 2

export interface HopAuthorizationOptions {
  readonly credentials: ServerCredentials
  readonly server: McpServer
  /** The configuration that counts for what this hop does by itself. */
  readonly snapshot: () => Snapshot
}

export class HopAuthorization {
  /** Whom the hop works for: of those whose hop it is, who used it last. Undefined: for the gateway itself. */
  caller: Caller | undefined
  readonly #options: HopAuthorizationOptions
  /** Digest of the variables that the child was started with last. */
  #environment: string | undefined

  constructor(options: HopAuthorizationOptions) {
    this.#options = options
  }

  /** Whether a child was started with variables of whom the hop works for. */
  get isStarted(): boolean {
    return this.#environment !== undefined
  }

  isStartedWith(environment: Readonly<Record<string, string>>): boolean {
    return this.#environment === digestJson(environment)
  }

  /** Notes with which variables the child runs from now on. True when it may run with others. */
  isStartedWithOther(environment: Readonly<Record<string, string>>): boolean {
    const isOther = this.isStarted && !this.isStartedWith(environment)
    this.#environment = digestJson(environment)
    return isOther
  }

  /** Variables for the child of whom the hop works for. Rejects as `headersFor` does. */
  async environment(signal: CancelSignal): Promise<Readonly<Record<string, string>>> {
    const { credentials, server, snapshot } = this.#options
    const shown = await credentials.headersFor({ snapshot: snapshot(), server, caller: this.caller, signal })
    const environment = shown?.environment ?? {}
    this.#environment = digestJson(environment)
    return environment
  }

  /** Sends a request, once more when other headers may be accepted. `send` rejects as `HttpWire.post` does. */
  async send(signal: CancelSignal, send: (headers: Readonly<Record<string, string>>) => Promise<HttpAnswer>): Promise<HttpAnswer> {
    const { credentials, server, snapshot } = this.#options
    const query = { snapshot: snapshot(), server, caller: this.caller, signal }
    let headers: ServerHeaders = (await credentials.headersFor(query)) ?? noHeaders
    for (let before = 0; ; before += 1) {
      const answer = await send(headers.headers)
      const challenge = readChallenge(answer.statusCode, answer.header('www-authenticate'))
      if (challenge === undefined || before >= mostRefusals) return answer
      const again = await credentials.headersFor({ ...query, refusal: { challenge, headers, before } }).catch((error: unknown) => {
        answer.discard()
        throw error
      })
      if (again === undefined) return answer
      answer.discard()
      headers = again
    }
  }
}
