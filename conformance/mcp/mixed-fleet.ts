/**
 * A gateway in front of servers of both eras and every transport: official ones in the sandbox, official ones over HTTP,
 * a modern one, and one without a library that sends and keeps exactly what it is told.
 */
import { mkdtemp, rm, writeFile } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { startGateway, type RunningGateway } from '../harness/gateway-process.ts'
import type { Json } from '../harness/json.ts'
import type { RpcTarget } from './raw-rpc.ts'
import {
  installed,
  serversReady,
  startEverything,
  startModern,
  startRaw,
  type ModernUpstream,
  type RawUpstream,
} from './upstream-servers.ts'

/** May use everything. */
export const ada = 'tw_conformance_ada_000000000001'
/** May open `main` and use `every__echo` there. */
export const bob = 'tw_conformance_bob_000000000002'

/** A definition and a result full of members no version of the protocol knows. */
export const strange: Json = {
  name: 'strange',
  description: 'as it came',
  inputSchema: { type: 'object', properties: { text: { type: 'string', 'x-hint': 'kept' } }, $defs: { unused: { $anchor: 'here' } } },
  annotations: { readOnlyHint: true, 'vendor/unknown': { deep: [1, 2, 3] } },
  _meta: { 'vendor.example/meta': { kept: true } },
  futureField: { since: '2031' },
}
export const strangeResult: Json = {
  content: [
    { type: 'hologram', frames: [1.5, null], futureField: true },
    { type: 'text', text: 'plain', _meta: { 'vendor.example/part': 1 } },
  ],
  structuredContent: { list: [], nothing: null },
  _meta: { 'vendor.example/result': 'kept' },
  futureField: ['kept'],
}

/** Names of the server behind `many`, which lists them forty at a time. */
export const manyTools: readonly string[] = Array.from({ length: 250 }, (_, index) => `tool-${String(index).padStart(3, '0')}`)

export interface MixedFleet extends AsyncDisposable {
  readonly gateway: RunningGateway
  readonly modern: ModernUpstream
  readonly raw: RawUpstream
  /** Folder that server-filesystem serves. */
  readonly folder: string
  /** An endpoint for requests without a library. */
  target(gateway?: string, key?: string): RpcTarget
}

export async function startMixedFleet(): Promise<MixedFleet> {
  const folder = await mkdtemp(join(tmpdir(), 'turnward-mcp-'))
  await writeFile(join(folder, 'readme.txt'), 'written on the host')
  const everything = await startEverything()
  const modern = await startModern()
  const raw = await startRaw([strange], strangeResult)
  const many = await startRaw(
    manyTools.map((name) => ({ name, inputSchema: { type: 'object' } })),
    { content: [] },
    40,
  )
  const mounts = [{ path: folder, write: true }]
  const gateway = await startGateway({
    config: {
      principals: { ada: {}, bob: {} },
      keys: { ada: { principal: 'ada', secret: ada }, bob: { principal: 'bob', secret: bob } },
      grants: [
        { principals: ['ada'], gateways: ['main', 'many', 'original'], tools: ['*'] },
        { principals: ['bob'], gateways: ['main'], tools: ['every__echo'] },
      ],
      servers: {
        every: { transport: 'stdio', command: ['node', installed('@modelcontextprotocol/server-everything/dist/index.js')] },
        files: {
          transport: 'stdio',
          command: ['node', installed('@modelcontextprotocol/server-filesystem/dist/index.js'), folder],
          mounts,
        },
        memory: {
          transport: 'stdio',
          command: ['node', installed('@modelcontextprotocol/server-memory/dist/index.js')],
          env: { MEMORY_FILE_PATH: join(folder, 'memory.jsonl') },
          mounts,
        },
        everyhttp: { transport: 'http', url: everything.url },
        modern: { transport: 'http', url: modern.url },
        raw: { transport: 'http', url: raw.url },
        many: { transport: 'http', url: many.url },
      },
      gateways: {
        main: { servers: ['every', 'files', 'memory', 'everyhttp', 'modern', 'raw'], instructions: 'Use with care.' },
        original: { servers: ['every', 'everyhttp', 'modern'], names: 'original', aliases: { shout: 'every__echo' } },
        many: { servers: ['many'] },
      },
      contracts: { '*': { output: { trust: 'trusted' } } },
    },
  })
  await serversReady(gateway.url)
  return {
    gateway,
    modern,
    raw,
    folder,
    target: (name = 'main', key = ada) => ({ url: `${gateway.url}/mcp/${name}`, key }),
    async [Symbol.asyncDispose]() {
      await gateway.stop()
      for (const upstream of [everything, modern, raw, many]) await upstream[Symbol.asyncDispose]()
      await rm(folder, { recursive: true, force: true })
    },
  }
}
