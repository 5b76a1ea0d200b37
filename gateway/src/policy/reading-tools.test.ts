import fc from 'fast-check'
import { describe, expect, test } from 'vitest'
import type { JsonObject } from '../core/json.ts'
import { admit } from './admit.ts'
import { decide } from './decide.ts'
import { isReadingTool } from './reading-tools.ts'
import { alice, call, fresh, policyOf, tool } from './written-policy.fixture.ts'
import { changingWords, sendingWords, wordsOf } from './tool-words.ts'

const honest = { readOnlyHint: true }
const definition = (properties: JsonObject = {}, annotations: JsonObject = honest): JsonObject => ({
  annotations,
  inputSchema: { type: 'object', properties },
})

describe('a tool only reads when annotation, name and arguments say so', () => {
  test.each([
    'read_text_file',
    'listIssues',
    'get-commit',
    'search_files',
    'GetSLOStatus',
    'read_email',
    'get_comment',
    'count_rows',
    'find_users',
  ])('%s', (name) => {
    expect(isReadingTool(name, definition({ path: { type: 'string' }, query: { type: 'string' } }))).toBe(true)
  })

  test.each([
    'create_issue',
    'get_or_create_user',
    'read_and_send',
    'listThenDelete',
    'search_replace_all',
    'send_mail',
    'issues',
    'web_search',
    'search_web',
    'get_url',
    'fetch_page',
    'mail_read',
    '',
    'réad',
  ])('not `%s`, whatever its annotation says', (name) => {
    expect(isReadingTool(name, definition())).toBe(false)
  })

  test.each<[string, JsonObject]>([
    ['no annotation', {}],
    ['not read-only', { readOnlyHint: false }],
    ['a hint that is no boolean', { readOnlyHint: 'true' }],
    ['destructive as well', { readOnlyHint: true, destructiveHint: true }],
    ['open to the world, which learns the question', { readOnlyHint: true, openWorldHint: true }],
  ])('not with %s', (_what, annotations) => {
    expect(isReadingTool('get_issue', definition({}, annotations))).toBe(false)
  })

  test.each(['url', 'imageUrl', 'callback_uri', 'to', 'recipients', 'sql', 'command', 'webhook', 'body', 'host'])(
    'not with the argument `%s`',
    (argument) => {
      expect(isReadingTool('get_issue', definition({ [argument]: { type: 'string' } }))).toBe(false)
      expect(
        isReadingTool(
          'get_issue',
          definition({ options: { type: 'array', items: { anyOf: [{ type: 'object', properties: { [argument]: {} } }] } } }),
        ),
      ).toBe(false)
    },
  )

  test('not without a schema, and not with one too large to read', () => {
    expect(isReadingTool('get_issue', { annotations: honest })).toBe(false)
    const many = Object.fromEntries(Array.from({ length: 6000 }, (_, index) => [`field_${index}`, {}]))
    expect(isReadingTool('get_issue', definition(many))).toBe(false)
  })

  test('never when its name begins with a word that changes or sends', () => {
    const first = fc.constantFrom(...changingWords, ...sendingWords)
    fc.assert(
      fc.property(
        first,
        fc.constantFrom('', '_issue', '_all_files', 'Mail'),
        (verb, rest) => !isReadingTool(`${verb}${rest}`, definition()),
      ),
    )
  })

  test('words are found in every case', () => {
    expect(['readTextFile', 'read_text_file', 'read-text.file', 'READ TextFile'].map(wordsOf)).toEqual(
      Array.from({ length: 4 }, () => ['read', 'text', 'file']),
    )
  })
})

describe('after an untrusted read, an undescribed tool that only reads', () => {
  const contracts = { web__fetch: { output: { trust: 'untrusted' } } }
  const reader = { ...tool('tracker__get_issue'), reading: true }
  const verdictIn = (posture: 'strict' | 'standard' | 'observe', subject = reader) => {
    const policy = policyOf({ contracts, policy: { posture } })
    const state = admit(policy, fresh(policy), { tools: [tool('web__fetch')], principal: alice, callKey: 'web', outcome: 'done' })
    return decide(policy, state, call(subject.name, {}, { tool: subject }))
  }

  test('stays callable in `standard`, and the verdict says why', () => {
    expect(verdictIn('standard')).toMatchObject({
      verdict: 'allow',
      action: 'allow',
      rules: ['grant #1', 'read-only tool (undescribed)'],
      reason: 'Allowed by grant #1, as a read-only tool nobody described.',
    })
    expect(verdictIn('observe')).toMatchObject({ verdict: 'allow' })
  })

  test('is refused in `strict`, and a tool a client runs always', () => {
    expect(verdictIn('strict')).toMatchObject({ action: 'deny', gaps: [{ kind: 'undescribed' }], rules: ['grant #1', 'contracts'] })
    expect(verdictIn('standard', { name: 'get_issue', server: 'client', hints: undefined, reading: true })).toMatchObject({
      action: 'deny',
    })
  })

  test('narrows like everything undescribed', () => {
    const policy = policyOf({ contracts })
    const state = admit(policy, fresh(policy), { tools: [reader], principal: alice, callKey: 'issue', outcome: 'done' })
    expect(state.label).toEqual({ trust: 0, audience: [['alice']] })
  })
})
