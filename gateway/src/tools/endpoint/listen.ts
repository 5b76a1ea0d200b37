/** `subscriptions/listen`: acknowledged first, every notification tagged, ended with a result (schema, SubscriptionsListenRequest). */
import { TurnwardError } from '../../core/error.ts'
import { isObject, type JsonObject } from '../../core/json.ts'
import { resultText } from '../codec/json-rpc.ts'
import { metaKeys } from '../codec/versions.ts'
import { implementation } from '../connectors/opening.ts'
import { streamChanges } from './change-stream.ts'
import type { MethodCall } from './parts.ts'

/** Resolves when the stream has ended. Rejects with a coded error before anything was sent. */
export async function listen({ parts, arrival, context, message, reply }: MethodCall): Promise<undefined> {
  const wanted = message.params.notifications
  if (!isObject(wanted)) throw new TurnwardError('request.invalid', { subject: 'notifications', why: 'it must be an object' })
  if (reply?.takesStream !== true)
    throw new TurnwardError('request.invalid', { status: 406, why: '`accept` must list `text/event-stream`' })
  // Tools are all we can announce; what is not acknowledged is not sent.
  const honoured: JsonObject = wanted.toolsListChanged === true ? { toolsListChanged: true } : {}
  const tag: JsonObject = { [metaKeys.subscriptionId]: message.id }
  const result = resultText(message.id, { resultType: 'complete', _meta: { ...tag, [metaKeys.serverInfo]: implementation } })
  arrival.release()
  const acknowledge = (): void => reply.notify('notifications/subscriptions/acknowledged', { _meta: tag, notifications: honoured })
  const end = (): void => reply.end(result)
  if (Object.keys(honoured).length === 0) {
    acknowledge()
    end()
    return
  }
  await streamChanges(parts, context, arrival.response, {
    open: acknowledge,
    changed: () => reply.notify('notifications/tools/list_changed', { _meta: tag }),
    end,
  })
}
