/** What the administration API answers, for people on a terminal. */
import { printable } from '../audit/format-tree.ts'
import { isObject, type JsonObject, type JsonValue } from '../core/json.ts'

export function listOf(value: JsonValue | undefined): readonly JsonObject[] {
  return Array.isArray(value) ? value.filter(isObject) : []
}

export function numberText(value: JsonValue | undefined): string {
  return typeof value === 'number' ? String(value) : ''
}

export function timeText(time: JsonValue | undefined): string {
  return typeof time === 'number' ? new Date(time).toISOString() : ''
}

/** Names come from clients and servers: nothing of them moves a cursor. */
export function printableLines(text: string): string {
  return text.split('\n').map(printable).join('\n')
}
