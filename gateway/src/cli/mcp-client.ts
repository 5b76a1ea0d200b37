/** A small MCP client for the command line, on the same connector the gateway uses towards servers. */
import { TurnwardError } from '../core/error.ts'
import type { JsonObject } from '../core/json.ts'
import { callTool, listTools } from '../tools/connectors/connector.ts'
import { openModernHttp } from '../tools/connectors/http-modern.ts'
import { HttpWire } from '../tools/connectors/http-wire.ts'

export interface McpClient {
  listTools(): Promise<JsonObject[]>
  callTool(name: string, args: JsonObject): Promise<JsonObject>
  close(): Promise<void>
}

const limits = { maxResponseBytes: 64 * 1024 * 1024, maxEventBytes: 8 * 1024 * 1024 }
const deadlineMs = 120_000

/** A client of one gateway endpoint. `headers` go with every request. */
export function openMcpClient(url: string, key: string, headers: Readonly<Record<string, string>> = {}): McpClient {
  const wire = new HttpWire({ server: url, url, headers: { authorization: `Bearer ${key}`, ...headers }, connections: 4, limits })
  const exchange = openModernHttp(wire, { onToolsChanged: () => {} })
  const signal = (): AbortSignal => AbortSignal.timeout(deadlineMs)
  return {
    listTools: () => listTools(exchange, url, limits, signal()),
    async callTool(name, args) {
      const result = await callTool(exchange, url, name, args, { signal: signal(), meta: undefined })
      if (result === undefined) throw new TurnwardError('mcp.server_unavailable', { subject: url })
      return result
    },
    close: () => exchange.close(),
  }
}
