/** Token usage of Converse: `inputTokens` leaves out what was cached, `outputTokens` includes reasoning, which is not told apart. */
import type { JsonObject, JsonValue } from '../../../../core/json.ts'
import type { HubUsage } from '../../../hub/answer.ts'
import { readConverseUsage, writeConverseUsage } from '../usage.ts'

export function readUsage(value: JsonValue | undefined): HubUsage | undefined {
  return readConverseUsage(value)
}

/** Usage that nobody reported gives zeros, which the dialect requires. */
export function writeUsage(usage: HubUsage | undefined): JsonObject {
  return writeConverseUsage(usage)
}
