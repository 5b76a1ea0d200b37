/** Records keep the text they were written with; one in the words of a development release reads like one of today. */
import { isObject } from '../core/json.ts'

const olderActions: Readonly<Record<string, string>> = { allow: 'release', deny: 'refuse' }

/** The record in today's words. What is no record is left as it is. */
export function inPresentWords(value: unknown): unknown {
  if (!isObject(value) || typeof value['action'] !== 'string' || !Object.hasOwn(olderActions, value['action'])) return value
  return { ...value, action: olderActions[value['action']] }
}
