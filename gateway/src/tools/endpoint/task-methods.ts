/** `tasks/get`, `tasks/update` and `tasks/cancel` of the modern era (ext-tasks, 2026-07-28). Parameters are read here, work is done by the operations. */
import { TurnwardError } from '../../core/error.ts'
import { isObject, type JsonObject } from '../../core/json.ts'
import { offersExtension, tasksExtension } from '../extensions.ts'
import type { TaskRequest } from '../operations.ts'
import type { MethodCall } from './parts.ts'

const longestHandle = 8192

/** Throws `mcp.missing_capability` for a client that does not declare the extension, `request.invalid`, and what the operation throws. */
export function askTask(verb: TaskRequest['verb'], { parts, context, message, signal }: MethodCall): Promise<JsonObject> {
  requireTasks(context.offers)
  const { taskId, inputResponses } = message.params
  if (typeof taskId !== 'string' || taskId === '' || taskId.length > longestHandle)
    throw new TurnwardError('request.invalid', { subject: 'taskId', why: 'it must be the name of a task' })
  if (verb === 'update' && (!isObject(inputResponses) || !Object.values(inputResponses).every(isObject)))
    throw new TurnwardError('request.invalid', { subject: 'inputResponses', why: 'it must be an object of results' })
  return parts.operations.task(context, { verb, handle: taskId, answers: isObject(inputResponses) ? inputResponses : undefined, signal })
}

/** Throws `mcp.missing_capability`: every request declares the extension (ext-tasks, "Capability Negotiation"). */
export function requireTasks(offers: JsonObject): void {
  if (offersExtension(offers, tasksExtension)) return
  throw new TurnwardError('mcp.missing_capability', {
    subject: tasksExtension,
    why: 'the request does not declare it',
    details: { requiredCapabilities: { extensions: { [tasksExtension]: {} } } },
  })
}
