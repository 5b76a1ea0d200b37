/**
 * The hop to a REST API: looks like an MCP server of the modern era whose tools are the operations of a document. Nothing is sent
 * until a tool is called; a call is one request to the configured address, and no redirect is followed.
 */
import type { Api, ApiOperation } from '../../../config/openapi/api.ts'
import type { CancelSignal } from '../../../core/cancellation.ts'
import { isObject, type JsonObject } from '../../../core/json.ts'
import { HttpPool } from '../../../http1/pool.ts'
import type { RpcResponse } from '../../codec/json-rpc.ts'
import { rpcCodes } from '../../codec/json-rpc.ts'
import { methodNotFound } from '../../codec/rpc-errors.ts'
import { compileArgumentCheck } from '../../schema-validation.ts'
import { abortedError } from '../cancelling.ts'
import type { Exchange, RequestOptions, ResponseLimits } from '../exchange.ts'
import { unavailable } from '../failure.ts'
import type { HopAuthorization } from '../hop-authorization.ts'
import { HttpAnswer } from '../http-answer.ts'
import { apiRequest, type ApiRequest, type OwnParts } from './api-request.ts'
import { apiResult, error, type AnswerCheck } from './api-result.ts'
import { ArgumentProblem } from './argument-problem.ts'
import { wholeBody } from './body-reader.ts'

export interface OpenapiOptions {
  readonly server: string
  readonly api: Api
  /** Configured headers and query parameters; secrets, so they appear nowhere else. */
  readonly headers: Readonly<Record<string, string>>
  readonly query: Readonly<Record<string, string>>
  /** Headers that are asked for with each request; absent: there are only the configured ones. */
  readonly authorization?: HopAuthorization | undefined
  /** Requests at one time. */
  readonly connections: number
  readonly limits: ResponseLimits
}

/** Methods that may be made again when nobody answered (RFC 9110, 9.2.2). */
const repeatable: ReadonlySet<string> = new Set(['GET', 'PUT', 'DELETE'])

class OpenapiExchange implements Exchange {
  readonly era = 'modern'
  readonly capabilities: JsonObject = { tools: {} }
  readonly ended = new Promise<string>(() => {})
  readonly #options: OpenapiOptions
  readonly #pool: HttpPool
  readonly #own: OwnParts
  readonly #operations: ReadonlyMap<string, ApiOperation>
  readonly #checks = new Map<string, AnswerCheck | undefined>()

  constructor(options: OpenapiOptions) {
    const { api, headers, query, connections } = options
    const url = new URL(api.base)
    this.#options = options
    this.#operations = new Map(api.operations.map((operation) => [operation.name, operation]))
    this.#own = {
      basePath: url.pathname.replace(/\/+$/, ''),
      headers: Object.fromEntries(Object.entries(headers).map(([name, value]) => [name.toLowerCase(), value])),
      query,
    }
    // Time is bounded by the signal of each request.
    this.#pool = new HttpPool(url.origin, { connections, connectTimeoutMs: 10_000, bodyTimeoutMs: 0 })
  }

  async request(
    method: string,
    params: JsonObject,
    { signal, maxBytes = this.#options.limits.maxResponseBytes }: RequestOptions,
  ): Promise<RpcResponse> {
    if (method === 'tools/list') return result({ tools: this.#options.api.operations.map(({ definition }) => definition) })
    if (method !== 'tools/call') return { kind: 'error', id: undefined, error: methodNotFound }
    const operation = typeof params.name === 'string' ? this.#operations.get(params.name) : undefined
    if (operation === undefined)
      return { kind: 'error', id: undefined, error: { code: rpcCodes.invalidParams, message: 'there is no such tool' } }
    try {
      const request = apiRequest(operation, isObject(params.arguments) ? params.arguments : {}, this.#own)
      return result(await this.#call(operation, request, signal, maxBytes))
    } catch (problem) {
      if (problem instanceof ArgumentProblem) return result(error(problem.message))
      throw problem
    }
  }

  async close(): Promise<void> {
    this.#pool.close()
  }

  async #call(operation: ApiOperation, request: ApiRequest, signal: CancelSignal, maxBytes: number): Promise<JsonObject> {
    const { server } = this.#options
    const answer = await this.#send(operation, request, signal)
    const coding = answer.header('content-encoding')
    if (coding !== undefined && coding.toLowerCase() !== 'identity') {
      answer.discard()
      throw unavailable(server, 'it compresses its answer, which it was not asked for')
    }
    const body = await wholeBody(server, answer, maxBytes)
    const said = { status: answer.statusCode, contentType: answer.header('content-type') ?? '', body }
    return apiResult(server, operation, said, this.#checkOf(operation))
  }

  #send(operation: ApiOperation, request: ApiRequest, signal: CancelSignal): Promise<HttpAnswer> {
    const { authorization } = this.#options
    if (authorization === undefined) return this.#dispatch(operation, request, signal)
    return authorization.send(signal, (own) => this.#dispatch(operation, { ...request, headers: { ...request.headers, ...own } }, signal))
  }

  #dispatch({ method }: ApiOperation, { path, headers, body }: ApiRequest, signal: CancelSignal): Promise<HttpAnswer> {
    return new Promise((resolve, reject) => {
      if (signal.aborted) return reject(abortedError(signal))
      const answer = new HttpAnswer(this.#options.server, signal, resolve, reject)
      const sent = { method, path, headers: Object.entries(headers).flat(), body, sendsAgain: repeatable.has(method) }
      answer.exchange = this.#pool.dispatch(sent, answer)
    })
  }

  #checkOf({ name, definition }: ApiOperation): AnswerCheck | undefined {
    if (!isObject(definition.outputSchema)) return undefined
    if (!this.#checks.has(name)) {
      const compiled = compileArgumentCheck(definition.outputSchema)
      this.#checks.set(name, 'check' in compiled ? compiled.check : undefined)
    }
    return this.#checks.get(name)
  }
}

function result(value: JsonObject): RpcResponse {
  return { kind: 'result', id: undefined, result: value }
}

/** Opens the hop. Cannot fail: nothing is asked of the API until one of its tools is called. */
export function openOpenapi(options: OpenapiOptions): Exchange {
  return new OpenapiExchange(options)
}
