/** Reads a model call once: bytes, JSON, views. What is decided on is what the upstream will read. */
import type { Snapshot } from '../config/snapshot.ts'
import type { Caller } from '../core/principal.ts'
import type { Dialect, RequestView } from '../wire/dialect.ts'
import { allGuardedFields } from '../wire/dialects.ts'
import type { RequestBody } from '../wire/request/request-body.ts'
import type { CallOrigin } from './origins/call-origin.ts'
import type { Services } from './services.ts'

export interface ReadRequest {
  readonly bytes: Buffer
  readonly body: RequestBody
  readonly view: RequestView
}

export async function readModelRequest(
  services: Services,
  origin: CallOrigin,
  caller: Caller,
  dialect: Dialect,
  snapshot: Snapshot,
): Promise<ReadRequest> {
  const { limits } = snapshot.settings
  const bytes = await origin.body(limits)
  const owner = `${caller.principal.id.length}:${caller.principal.id}${caller.consumer ?? ''}`
  const read = { maxDepth: limits.max_depth, maxKeys: limits.max_keys, guardedFields: allGuardedFields }
  const { body, view } = services.requests.read(owner, dialect, bytes, read, origin.path)
  return { bytes, body, view }
}
