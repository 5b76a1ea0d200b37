/** Reads a model call once: bytes, JSON, views. What is decided on is what the upstream will read. */
import type { IncomingMessage } from 'node:http'
import type { Snapshot } from '../config/snapshot.ts'
import type { JsonObject } from '../core/json.ts'
import { readBody } from '../models/reading-body.ts'
import type { Dialect, RequestView } from '../wire/dialect.ts'
import { parseGuardedJson } from '../wire/json-guard.ts'

export interface ReadRequest {
  readonly bytes: Buffer
  readonly body: JsonObject
  readonly view: RequestView
}

export async function readModelRequest(request: IncomingMessage, dialect: Dialect, snapshot: Snapshot): Promise<ReadRequest> {
  const { limits } = snapshot.settings
  const bytes = await readBody(request, limits)
  const body = parseGuardedJson(bytes, { maxDepth: limits.max_depth, maxKeys: limits.max_keys })
  return { bytes, body, view: dialect.readRequest(body) }
}
