/** Raw requests against an endpoint with scripted operations, shared by the wire tests. Not part of the product. */
import { request as httpRequest, type IncomingMessage } from 'node:http'
import { afterEach, beforeEach } from 'vitest'
import { TurnwardError } from '../../core/error.ts'
import type { JsonObject } from '../../core/json.ts'
import type { Snapshot } from '../../config/snapshot.ts'
import type { Fleet } from '../catalogue.ts'
import { snapshotOf, callerNamed, serveEndpoint, type TestEndpoint } from '../running-parts.fixture.ts'
import type { McpOperations, ToolCallRequest } from '../operations.ts'

export const meta = {
  'io.modelcontextprotocol/protocolVersion': '2026-07-28',
  'io.modelcontextprotocol/clientInfo': { name: 't', version: '1' },
  'io.modelcontextprotocol/clientCapabilities': {},
}
const limits = { max_body_bytes: 4096, max_depth: 16, max_keys: 200 }

export interface Answer {
  readonly status: number
  readonly headers: IncomingMessage['headers']
  readonly text: string
  readonly json: JsonObject
}

export let endpoint: TestEndpoint
export let calls: ToolCallRequest[]
export let changed: (() => void) | undefined
export let operations: McpOperations
let answer: (call: ToolCallRequest) => Promise<JsonObject>

/** What `tools/call` does in this test. */
export function script(handler: (call: ToolCallRequest) => Promise<JsonObject>): void {
  answer = handler
}

/** Serves again with other parts. */
export async function reopen(snapshot: Snapshot, other: McpOperations = operations, fleet?: Pick<Fleet, 'for' | 'hold'>): Promise<void> {
  await endpoint.close()
  endpoint = await serveEndpoint(other, () => snapshot, fleet)
}
export const tools = Array.from({ length: 250 }, (_, index) => ({
  name: `s__t${String(index).padStart(3, '0')}`,
  inputSchema: { type: 'object' },
  'x-unknown': { kept: [index] },
}))

/** A fresh endpoint for every test of the file. */
export function useEndpoint(): void {
  beforeEach(async () => {
    calls = []
    changed = undefined
    answer = async (call) => ({ content: [{ type: 'text', text: call.name }], novel: { field: 1 } })
    operations = {
      async authenticate({ headers }) {
        const token = /^Bearer (\w+)$/.exec(headers.authorization ?? '')?.[1]
        if (token === undefined) throw new TurnwardError('auth.missing_key')
        return callerNamed(token)
      },
      openGateway({ gateway }) {
        if (gateway !== 'g') throw new TurnwardError('grant.gateway')
        return { instructions: undefined }
      },
      listTools: async () => ({ tools, complete: true }),
      listReads: async () => ({ entries: [], complete: true }),
      read: async () => ({}),
      abandon() {},
      async callTool(_context, call) {
        calls.push(call)
        if (call.name === 'unknown') throw new TurnwardError('grant.tool')
        return answer(call)
      },
      task: () => Promise.reject(new TurnwardError('mcp.not_found')),
      async requireResource() {},
      async watch(_context, watch) {
        changed = watch.changed
        return () => (changed = undefined)
      },
    }
    const snapshot = snapshotOf({ limits, listen: { hosts: ['tools.example.com'] } })
    endpoint = await serveEndpoint(operations, () => snapshot)
  })

  afterEach(() => endpoint.close())
}

export interface Sent {
  readonly method?: string
  readonly path?: string
  readonly headers?: Record<string, string | undefined>
  readonly body?: unknown
  readonly token?: string
}

export function open(sent: Sent): Promise<IncomingMessage> {
  const headers = Object.fromEntries(
    Object.entries({
      authorization: `Bearer ${sent.token ?? 'alice'}`,
      accept: 'application/json, text/event-stream',
      'content-type': 'application/json',
      ...sent.headers,
    }).filter(([, value]) => value !== undefined),
  )
  return new Promise((resolve, reject) => {
    const req = httpRequest(
      {
        port: endpoint.port,
        path: sent.path ?? '/mcp/g',
        method: sent.method ?? 'POST',
        headers: headers as Record<string, string>,
        agent: false,
      },
      resolve,
    )
    req.once('error', reject)
    req.end(sent.body === undefined ? undefined : typeof sent.body === 'string' ? sent.body : JSON.stringify(sent.body))
  })
}

export async function send(sent: Sent): Promise<Answer> {
  const res = await open(sent)
  let text = ''
  for await (const chunk of res) text += String(chunk)
  const data =
    text
      .split('\n')
      .findLast((line) => line.startsWith('data: '))
      ?.slice(6) ?? text
  return { status: res.statusCode ?? 0, headers: res.headers, text, json: (data === '' ? {} : JSON.parse(data)) as JsonObject }
}

export function modern(
  method: string,
  params: JsonObject = {},
  more: {
    readonly headers?: Record<string, string | undefined>
    readonly meta?: JsonObject
    readonly token?: string
    readonly path?: string
  } = {},
): Promise<Answer> {
  const name = typeof params.name === 'string' ? { 'mcp-name': params.name } : {}
  return send({
    ...more,
    headers: { 'mcp-protocol-version': '2026-07-28', 'mcp-method': method, ...name, ...more.headers },
    body: { jsonrpc: '2.0', id: 1, method, params: { ...params, _meta: more.meta ?? meta } },
  })
}

export async function initialize(version = '2025-11-25', token = 'alice'): Promise<Record<string, string>> {
  const answered = await send({
    token,
    body: {
      jsonrpc: '2.0',
      id: 0,
      method: 'initialize',
      params: { protocolVersion: version, capabilities: {}, clientInfo: { name: 't', version: '1' } },
    },
  })
  return { 'mcp-session-id': String(answered.headers['mcp-session-id']), 'mcp-protocol-version': version }
}

/** The error of an answer. */
export const errorOf = (answered: Answer): JsonObject => answered.json.error as JsonObject
export const resultOf = (answered: Answer): JsonObject => answered.json.result as JsonObject
