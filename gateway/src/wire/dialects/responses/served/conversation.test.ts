/** The conversation the model is told, from the items that clients bring back. */
import { expect, test } from 'vitest'
import type { JsonObject } from '../../../../core/json.ts'
import { toldConversation } from './conversation.ts'
import { approvalItemId, callItemId } from './ids.ts'

const user = { type: 'message', role: 'user', content: 'Go on.' }
const text = { type: 'message', role: 'assistant', content: [{ type: 'output_text', text: 'Well.' }] }
const own = (name: string, callId: string, isShared = false): JsonObject => ({
  type: 'mcp_call',
  id: callItemId({ round: { name: name.padStart(16, '0'), isShared }, callId }),
  server_label: 'home',
  name: 'home__look',
  arguments: '{}',
  output: `result of ${callId}`,
})
const clients = (callId: string): JsonObject => ({ type: 'function_call', call_id: callId, name: 'get_time', arguments: '{}' })
const answer = (callId: string): JsonObject => ({ type: 'function_call_output', call_id: callId, output: `result of ${callId}` })

/** What each item is, shortly. */
const told = (items: readonly JsonObject[]): string =>
  toldConversation(items)
    .items.map((item) => {
      const { type, call_id: id, role } = item as JsonObject
      return type === 'function_call'
        ? `call ${String(id)}`
        : type === 'function_call_output'
          ? `result ${String(id)}`
          : String(role ?? type)
    })
    .join(', ')

test('calls made at once are answered together, behind the last of them', () => {
  expect(told([user, text, own('1', 'a'), own('1', 'b'), text])).toBe('user, assistant, call a, call b, result a, result b, assistant')
})

test('words between calls made at once stay between them', () => {
  expect(told([own('1', 'a'), text, own('1', 'b')])).toBe('call a, assistant, call b, result a, result b')
})

test('calls of rounds that follow one another are answered before the next', () => {
  expect(told([own('1', 'a'), own('2', 'b'), text])).toBe('call a, result a, call b, result b, assistant')
})

test('calls of the client belong to the round of ours only where they were made with it', () => {
  expect(told([own('1', 'a', true), clients('c'), answer('c')])).toBe('call a, call c, result a, result c')
  expect(told([clients('c'), own('1', 'a', true), answer('c')])).toBe('call c, call a, result a, result c')
  expect(told([own('1', 'a'), clients('c'), answer('c')])).toBe('call a, result a, call c, result c')
})

test('an approved call is answered where it was made, and stands there once', () => {
  const id = approvalItemId({ round: { name: '0'.repeat(16), isShared: false }, callId: 'a' })
  const request = { type: 'mcp_approval_request', id, server_label: 'home', name: 'home__look', arguments: '{}' }
  const response = { type: 'mcp_approval_response', approval_request_id: id, approve: true }
  const waiting = toldConversation([user, request, response])
  expect(waiting.approved.map(({ callId }) => callId)).toEqual(['a'])
  const ran = toldConversation([user, request, response, { ...own('2', 'a'), approval_request_id: id }, text])
  expect(ran.approved).toEqual([])
  expect(ran.items.slice(1, 3)).toEqual([{ type: 'function_call', call_id: 'a', name: 'home__look', arguments: '{}' }, answer('a')])
  expect(ran.items).toHaveLength(4)
  // Going on without an answer is none.
  expect(JSON.stringify(toldConversation([user, request, user]).items)).toContain('nobody has approved')
})

test('items of other servers stay as they are', () => {
  const foreign = { type: 'mcp_call', id: 'mcp_68f9d2a4c1b88190', server_label: 'deepwiki', name: 'ask', arguments: '{}', output: 'x' }
  const listed = { type: 'mcp_list_tools', id: 'mcpl_68f9', server_label: 'deepwiki', tools: [] }
  expect(toldConversation([user, listed, foreign, text]).items).toEqual([user, listed, foreign, text])
})
