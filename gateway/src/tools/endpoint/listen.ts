/** `subscriptions/listen`: acknowledged first, every notification tagged, ended with a result (schema, SubscriptionsListenRequest). */
import { TurnwardError } from '../../core/error.ts'
import { isObject, type JsonObject } from '../../core/json.ts'
import { resultText, type RpcRequest } from '../codec/json-rpc.ts'
import { metaKeys } from '../codec/versions.ts'
import { implementation } from '../connectors/opening.ts'
import type { McpContext } from '../operations.ts'
import { streamChanges } from './change-stream.ts'
import type { Arrival, EndpointParts } from './parts.ts'
import type { Reply } from './reply.ts'

/** Resolves when the stream has ended. Rejects with a coded error before anything was sent. */
export async function listen(
  parts: EndpointParts,
  arrival: Arrival,
  context: McpContext,
  request: RpcRequest,
  reply: Reply,
  takesStream: boolean,
): Promise<void> {
  const wanted = request.params.notifications
  if (!isObject(wanted)) throw new TurnwardError('request.invalid', { subject: 'notifications', why: 'it must be an object' })
  if (!takesStream) throw new TurnwardError('request.invalid', { status: 406, why: '`accept` must list `text/event-stream`' })
  // Tools are all we can announce; what is not acknowledged is not sent.
  const honoured: JsonObject = wanted.toolsListChanged === true ? { toolsListChanged: true } : {}
  const tag: JsonObject = { [metaKeys.subscriptionId]: request.id }
  const result = resultText(request.id, { resultType: 'complete', _meta: { ...tag, [metaKeys.serverInfo]: implementation } })
  arrival.release()
  const acknowledge = (): void => reply.notify('notifications/subscriptions/acknowledged', { _meta: tag, notifications: honoured })
  const end = (): void => reply.end(result)
  if (Object.keys(honoured).length === 0) {
    acknowledge()
    return end()
  }
  await streamChanges(parts, context, arrival.res, {
    open: acknowledge,
    changed: () => reply.notify('notifications/tools/list_changed', { _meta: tag }),
    end,
  })
}
