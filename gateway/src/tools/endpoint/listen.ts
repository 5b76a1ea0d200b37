/** `subscriptions/listen`: acknowledged first, every notification tagged, ended with a result (schema, SubscriptionsListenRequest). */
import { TurnwardError } from '../../core/error.ts'
import { isObject, type JsonObject, type JsonValue } from '../../core/json.ts'
import { resultText } from '../codec/json-rpc.ts'
import { metaKeys } from '../codec/versions.ts'
import { implementation } from '../connectors/opening.ts'
import { streamChanges } from './change-stream.ts'
import type { McpContext } from '../operations.ts'
import type { EndpointParts, MethodCall } from './parts.ts'
import { requireTasks } from './task-methods.ts'

/** Lists whose changes are announced. */
const listNotifications: Readonly<Record<string, string>> = {
  toolsListChanged: 'notifications/tools/list_changed',
  promptsListChanged: 'notifications/prompts/list_changed',
  resourcesListChanged: 'notifications/resources/list_changed',
}

/** Resources one stream may tell of. */
const mostWatched = 256

/** Of the resources that are named, those the caller can read. Throws `request.invalid`. */
async function readable({ operations }: EndpointParts, context: McpContext, uris: JsonValue | undefined): Promise<string[]> {
  if (uris === undefined || uris === null) return []
  if (!Array.isArray(uris) || uris.length > mostWatched || !uris.every((uri) => typeof uri === 'string'))
    throw new TurnwardError('request.invalid', {
      subject: 'resourceSubscriptions',
      why: `it must be a list of at most ${mostWatched} URIs`,
    })
  const found = await Promise.all(
    uris.map((uri) =>
      operations.requireResource(context, uri).then(
        () => [uri],
        () => [],
      ),
    ),
  )
  return found.flat()
}

/** Resolves when the stream has ended. Rejects with a coded error before anything was sent. */
export async function listen({ parts, arrival, context, message, reply }: MethodCall): Promise<undefined> {
  const wanted = message.params.notifications
  if (!isObject(wanted)) throw new TurnwardError('request.invalid', { subject: 'notifications', why: 'it must be an object' })
  if (reply?.takesStream !== true)
    throw new TurnwardError('request.invalid', { status: 406, why: '`accept` must list `text/event-stream`' })
  // Clients poll tasks; which ones they would be told of is not acknowledged.
  if (wanted.taskIds !== undefined) requireTasks(context.offers)
  // What is not acknowledged is not sent.
  const lists = Object.keys(listNotifications).filter((list) => wanted[list] === true)
  const watched = await readable(parts, context, wanted.resourceSubscriptions)
  const honoured: JsonObject = {
    ...Object.fromEntries(lists.map((list) => [list, true])),
    ...(watched.length > 0 ? { resourceSubscriptions: watched } : {}),
  }
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
  await streamChanges(parts, context, arrival, {
    uris: async () => watched,
    open: acknowledge,
    changed() {
      for (const list of lists) reply.notify(listNotifications[list] ?? '', { _meta: tag })
    },
    updated: (uri) => reply.notify('notifications/resources/updated', { uri, _meta: tag }),
    end,
  })
}
