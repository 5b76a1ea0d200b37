/**
 * Ids of items that tell of calls run here. The client brings them back with the conversation: they say which call of the
 * model's an item stands for, and which calls the model made at once.
 */
import { randomBytes } from 'node:crypto'
import type { JsonValue } from '../../../../core/json.ts'

const form = /^mcpr?_tw([0-9a-f]{16})([os])_(.{1,512})$/s

/** What the model called at once. */
export interface ServedRound {
  readonly name: string
  /** Whether the client has calls of it as well. */
  readonly isShared: boolean
}

export interface ServedId {
  readonly round: ServedRound
  /** The model's id of the call. */
  readonly callId: string
}

export function newName(): string {
  return randomBytes(8).toString('hex')
}

export function callItemId(id: ServedId): string {
  return `mcp_${written(id)}`
}

export function approvalItemId(id: ServedId): string {
  return `mcpr_${written(id)}`
}

function written({ round: { name, isShared }, callId }: ServedId): string {
  return `tw${name}${isShared ? 's' : 'o'}_${callId}`
}

export function listItemId(): string {
  return `mcpl_tw${newName()}`
}

/** What the id of a call, or of a request to approve it, says; undefined when it is none of ours. */
export function readServedId(id: JsonValue | undefined): ServedId | undefined {
  const [, name, kind, callId] = (typeof id === 'string' ? form.exec(id) : null) ?? []
  return name === undefined || callId === undefined ? undefined : { round: { name, isShared: kind === 's' }, callId }
}

export function isListId(id: JsonValue | undefined): boolean {
  return typeof id === 'string' && id.startsWith('mcpl_tw')
}
