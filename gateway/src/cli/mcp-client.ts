/** A small MCP client for the command line, on the same connector the gateway uses towards servers. */
import { errorCodes, type ErrorCodeName } from '@turnward/contract/error-codes'
import { TurnwardError } from '../core/error.ts'
import { isObject, type JsonObject } from '../core/json.ts'
import type { RpcResponse } from '../tools/codec/json-rpc.ts'
import { callTool } from '../tools/connectors/calling-tool.ts'
import type { Exchange } from '../tools/connectors/exchange.ts'
import { listAll } from '../tools/connectors/listing.ts'
import { openModernHttp } from '../tools/connectors/http-modern.ts'
import { HttpWire } from '../tools/connectors/http-wire.ts'

export interface McpClient {
  listTools(): Promise<JsonObject[]>
  callTool(name: string, args: JsonObject): Promise<JsonObject>
  close(): Promise<void>
}

const limits = { maxResponseBytes: 64 * 1024 * 1024, maxEventBytes: 8 * 1024 * 1024 }
const deadlineMs = 120_000

/** Asks the gateway at `url` whether it takes the key. Throws the gateway's own error, or `gateway.unreachable` when nobody answers. */
export async function checkKey(url: string, key: string): Promise<void> {
  const answer = await fetch(`${url}/v1/models`, {
    headers: { authorization: `Bearer ${key}` },
    redirect: 'manual',
    signal: AbortSignal.timeout(deadlineMs),
  }).catch((cause: unknown) => {
    throw new TurnwardError('gateway.unreachable', {
      subject: url,
      why: 'nobody answers there',
      cause,
    })
  })
  const body: unknown = await answer.json().catch(() => undefined)
  if (answer.ok) return
  const code = isObject(body) && isObject(body.error) ? body.error.code : undefined
  if (typeof code === 'string' && code in errorCodes) throw new TurnwardError(code as ErrorCodeName)
  throw new TurnwardError('gateway.unreachable', { subject: url, why: `it answered ${answer.status}; is this Turnward?` })
}

/** Towards our own gateway an error's code is worth more than its number. */
function refuseCodedError(response: RpcResponse): RpcResponse {
  const code = response.kind === 'error' && isObject(response.error.data) ? response.error.data.code : undefined
  if (typeof code === 'string' && code in errorCodes) throw new TurnwardError(code as ErrorCodeName)
  return response
}

/** A client of one gateway endpoint. `headers` go with every request. */
export function openMcpClient(url: string, key: string, headers: Readonly<Record<string, string>> = {}): McpClient {
  const wire = new HttpWire({ server: url, url, headers: { authorization: `Bearer ${key}`, ...headers }, connections: 4, limits })
  const inner = openModernHttp(wire, { onListChanged: () => {} }, { tools: {} })
  const exchange: Exchange = {
    ...inner,
    request: (method, params, options) => inner.request(method, params, options).then(refuseCodedError),
  }
  const signal = (): AbortSignal => AbortSignal.timeout(deadlineMs)
  return {
    listTools: async () => (await listAll(exchange, url, limits, signal())).entries.filter(isObject),
    async callTool(name, args) {
      const result = await callTool(exchange, url, name, args, { signal: signal(), meta: undefined })
      if (result === undefined) throw new TurnwardError('gateway.unreachable', { subject: url })
      return result
    },
    close: () => exchange.close(),
  }
}
