/** Reads a model call once: bytes, JSON, views. What is decided on is what the upstream will read. */
import type { Snapshot } from '../config/snapshot.ts'
import type { JsonObject } from '../core/json.ts'
import type { Caller } from '../core/principal.ts'
import type { Dialect, RequestView } from '../wire/dialect.ts'
import { allGuardedFields } from '../wire/dialects.ts'
import type { RequestBody } from '../wire/request/request-body.ts'
import type { FileKeeper } from './files/file-store.ts'
import { recallFiles } from './files/recalling-files.ts'
import { recall, type Keeping, type Recalled } from './keeping/recalling.ts'
import type { CallOrigin } from './origins/call-origin.ts'
import type { Services } from './services.ts'
import { forCall } from './state-of-call.ts'

export interface ReadRequest {
  /** The client's bytes; undefined when the body is no longer what they say. */
  readonly bytes: Buffer | undefined
  readonly body: RequestBody
  readonly view: RequestView
  /** Its answer is kept, with this. */
  readonly keeping?: Keeping | undefined
  /** It is to be answered later. */
  readonly isLater?: boolean
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
  const { kept: answers, namedFiles } = dialect
  const kept = snapshot.settings.responses.keep ? answers : undefined
  const first = kept === undefined ? services.requests.read(owner, dialect, bytes, read, origin.path) : undefined
  const hasFiles = snapshot.settings.files.keep && namedFiles !== undefined
  if (first !== undefined && !(hasFiles && first.namesFiles === true)) return { bytes, body: first.body, view: first.view }
  // What a body only names is put into it before anybody has a view of it.
  const keeper = (): FileKeeper => ({ services: forCall(services, caller), snapshot, caller })
  let recalled: Recalled | undefined
  let isFilled = false
  const complete = async (json: JsonObject): Promise<void> => {
    if (kept !== undefined) recalled = await recall(keeper, kept, json)
    // After what is kept of the conversation: that has the names, as its client sent them.
    if (hasFiles) isFilled = await recallFiles(keeper, dialect, json)
  }
  const completed = await services.requests.readCompleted(owner, dialect, bytes, read, complete, origin.path)
  const { keeping, isLater = false, isCompleted = false } = recalled ?? {}
  return { ...completed, bytes: isCompleted || isFilled ? undefined : bytes, keeping: origin.keeping ?? keeping, isLater }
}
