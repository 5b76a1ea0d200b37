/** Tasks: calls that end later (ext-tasks, 2026-07-28). What a server says of one, as far as it can be read. */
import { isObject, type JsonObject } from '../core/json.ts'

/** How a task is. `completed`, `failed` and `cancelled` stay as they are. */
export type TaskStatus = 'working' | 'input_required' | 'completed' | 'failed' | 'cancelled'

const statuses: ReadonlySet<unknown> = new Set<TaskStatus>(['working', 'input_required', 'completed', 'failed', 'cancelled'])

/** Longest name that a server may give a task. */
const longestTaskId = 1024

export interface Task extends JsonObject {
  readonly taskId: string
  readonly status: TaskStatus
}

/** Whether this is a task, with what belongs to its status. */
export function isTask(value: JsonObject): value is Task {
  const { taskId, status, inputRequests, result, error } = value
  if (typeof taskId !== 'string' || taskId === '' || taskId.length > longestTaskId || !statuses.has(status)) return false
  if (value.resultType === 'task') return true
  if (status === 'input_required') return isObject(inputRequests)
  if (status === 'completed') return isObject(result)
  return status !== 'failed' || isObject(error)
}
