/**
 * What a server of the legacy era is answered when it asks for something that its client may not be asked. It may go on without;
 * a request that fails for it ends as one to a server of the modern era does, which says which capability is missing.
 */
import type { McpServer } from '../../config/snapshot.ts'
import { TurnwardError } from '../../core/error.ts'
import { type JsonObject } from '../../core/json.ts'
import { askable, capabilityFor, kindOfAsk, whyNotAsked, type Ask, type AskAnswer, type AskKind } from '../asks.ts'
import { rpcCodes } from '../codec/json-rpc.ts'

/** What the configuration lets a server ask for; an API asks for nothing. */
export function asksOf({ config }: McpServer): readonly AskKind[] {
  return config.transport === 'openapi' ? [] : config.may_ask
}

export class RefusedAsks {
  /** What the server may use of what the client has declared; undefined when that is nothing. */
  readonly offers: JsonObject | undefined
  readonly #server: string
  readonly #declared: JsonObject
  #missing: { readonly why: string; readonly capability: JsonObject } | undefined

  /** `mayAsk`: what the configuration lets the server ask for. */
  constructor(server: string, mayAsk: readonly AskKind[], declared: JsonObject = {}) {
    const offers = askable(declared, mayAsk)
    this.offers = Object.keys(offers).length === 0 ? undefined : offers
    this.#server = server
    this.#declared = declared
  }

  /** Undefined when the client can be asked. */
  answerTo(ask: Ask): AskAnswer | undefined {
    const why = whyNotAsked(ask, this.offers ?? {})
    if (why === undefined) return undefined
    // Who has no folders is answered nothing wrong by saying so.
    if (kindOfAsk(ask) === 'roots') return { result: { roots: [] } }
    const undeclared = whyNotAsked(ask, this.#declared)
    if (undeclared !== undefined) this.#missing ??= { why: undeclared, capability: capabilityFor(ask) }
    return { error: { code: rpcCodes.methodNotFound, message: why } }
  }

  /** The outcome of the request. Throws `mcp.missing_capability` when it failed, and the client had been asked for what it has not declared. */
  async outcome(request: Promise<JsonObject>): Promise<JsonObject> {
    let result: JsonObject
    try {
      result = await request
    } catch (error) {
      if (error instanceof TurnwardError && error.code === 'mcp.refused') this.#throwMissing()
      throw error
    }
    if (result.isError === true) this.#throwMissing()
    return result
  }

  #throwMissing(): void {
    if (this.#missing === undefined) return
    const { why, capability } = this.#missing
    throw new TurnwardError('mcp.missing_capability', { subject: this.#server, why, details: { requiredCapabilities: capability } })
  }
}

/** Where a request is not held, nobody can be asked in the middle of it. */
export const neverAsked = async (): Promise<AskAnswer> => ({
  error: { code: rpcCodes.methodNotFound, message: 'nobody can be asked now' },
})
