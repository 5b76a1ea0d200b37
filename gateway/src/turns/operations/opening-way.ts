/** The way to an upstream for an operation: its path, the caller's credential, and that both are on record. */
import type { RouteTarget } from '../../config/snapshot.ts'
import type { JsonObject } from '../../core/json.ts'
import { resolveCredential } from '../../identity/credentials.ts'
import { secretsOf } from '../../models/asking-upstream.ts'
import { sendObserved } from '../../models/balancing/sending-observed.ts'
import { buildHeaders, signRequest, type Hop } from '../../models/building-request.ts'
import { describeFailure } from '../../models/failing-over.ts'
import { pathSegment } from '../../providers/path-segment.ts'
import type { OperationPlace } from '../../providers/provider.ts'
import { providers } from '../../providers/providers.ts'
import { chatCompletions } from '../../wire/dialects/chat-completions/chat-completions.ts'
import type { EmbeddingFormName } from '../../wire/embeddings/embedding-form.ts'
import { type CallOrigin, traceHeaders } from '../origins/call-origin.ts'
import { recordOperation, type OperationCall } from '../recording/recording-operation.ts'
import type { WrittenForm } from '../../wire/request/form.ts'
import type { MaybePromise } from '../../state/state-store.ts'
import type { RelayedOperation } from './relaying-operation.ts'

/** The operation as the caller sent it. */
export interface OperationBody {
  /** The name the caller asked for. */
  readonly model: string
  /** Undefined for a form with files in it. */
  readonly json: JsonObject | undefined
  /** Texts of a form, in place of JSON. */
  readonly texts?: readonly string[]
  /** As it is sent to whoever knows the model under this name. */
  as(model: string): MaybePromise<WrittenForm>
  /** Of embeddings: the caller's form. */
  readonly form: EmbeddingFormName
  /** It is written anew for every upstream, also for one that has the caller's form: its path says a part of it. */
  readonly isConverted?: boolean
}

/** An upstream that has the operation, and where. */
export interface OperationTarget {
  readonly target: RouteTarget
  readonly place: OperationPlace
}

/** Sends a body there. Rejects with `upstream.*`; whatever it is answered, error or not, is the caller's to read. */
export type SendOperation = (body: Buffer | string, contentType?: string) => Promise<RelayedOperation>

/** The way to an upstream with the caller's credential, once it is on record that it is taken. Throws while the log cannot be written. */
export async function openWay(call: OperationCall, origin: CallOrigin, { target, place }: OperationTarget): Promise<SendOperation> {
  const { services, snapshot, caller, model } = call
  const { upstream } = target
  const hop: Hop = { target, provider: providers[upstream.config.kind], dialect: chatCompletions.name, streamUsage: 'as-asked' }
  const path = pathOf(target, place, model)
  const { id, credential } = await resolveCredential(snapshot, caller, upstream.name, services.clock.now(), services.credentials)
  await call.limits?.atUpstream(target)
  call.sentTo = { upstream: upstream.name, credential: id }
  recordOperation(call)
  return async (body, contentType) => {
    const headers = buildHeaders({ stream: false, clientHeaders: origin.headers, ...traceHeaders(origin) }, hop, '*/*', contentType)
    const request = await signRequest({ path, headers, body }, hop, credential, services.clock.now())
    const asked = { upstream, model: target.model ?? model, credential: id, isStream: false }
    const response = await sendObserved(services.upstreams, asked, request, origin.signal).catch((error: unknown) =>
      Promise.reject(describeFailure(error, upstream.name)),
    )
    return { target, response, secrets: secretsOf(credential, target) }
  }
}

function pathOf(target: RouteTarget, { path }: OperationPlace, model: string): string {
  const { config } = target.upstream
  const sent = target.model ?? model
  if (path.includes('{model}')) return path.replace('{model}', () => pathSegment(sent))
  return providers[config.kind].place?.({ spoken: { path }, config }, sent, false) ?? path
}
