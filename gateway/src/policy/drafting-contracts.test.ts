import { configSchema } from '@turnward/contract/config'
import fc from 'fast-check'
import { describe, expect, test } from 'vitest'
import type { JsonObject } from '../core/json.ts'
import { compilePolicy } from './compile-policy.ts'
import { draftContract, type DraftSubject } from './drafting-contracts.ts'

const ranks = ['untrusted', 'trusted']
const text = { type: 'string' }
const stranger = { trust: 'untrusted', audience: ['$principal'] }
const drafted = (
  originalName: string,
  more: { annotations?: JsonObject; properties?: JsonObject; required?: string[]; staysHere?: boolean } = {},
) => {
  const { annotations = {}, properties = {}, required = [], staysHere = false } = more
  const subject: DraftSubject = {
    name: `s__${originalName}`,
    originalName,
    definition: { annotations, inputSchema: { type: 'object', properties, required } },
    staysHere,
  }
  return draftContract(subject, ranks)
}

describe('a draft', () => {
  test.each([
    ['list_issues', {}, 'reads'],
    ['getComment', { annotations: { readOnlyHint: true } }, 'reads'],
    ['weather', { annotations: { readOnlyHint: true } }, 'unclear'],
    ['frobnicate', { annotations: { destructiveHint: true } }, 'unclear'],
    ['fetch', { properties: { url: text } }, 'reads outside'],
    ['search', { annotations: { openWorldHint: true } }, 'reads outside'],
    ['search_web', {}, 'unclear'],
    ['create_issue', {}, 'changes'],
    ['list_and_delete', {}, 'changes'],
    ['get_lock', { annotations: { destructiveHint: true } }, 'changes'],
    ['issue_update', {}, 'changes'],
    ['send_mail', {}, 'sends'],
    ['slack-post-message', {}, 'sends'],
    ['shareDocument', { annotations: { readOnlyHint: true } }, 'sends'],
    ['frobnicate', {}, 'unclear'],
  ] as const)('%s %o: %s', (name, more, kind) => {
    expect(drafted(name, more as Parameters<typeof drafted>[1]).kind).toBe(kind)
  })

  test('of a reading tool trusts nothing and keeps it with the principal', () => {
    expect(drafted('list_issues').contract).toEqual({ output: stranger })
  })

  test('of a changing tool needs a trusted session, unless its server reaches nobody and it destroys nothing', () => {
    expect(drafted('write_file').contract).toEqual({ output: stranger, effects: ['mutation'], requires: { trust: 'trusted' } })
    expect(drafted('write_file', { staysHere: true }).contract).toEqual({ output: stranger, effects: ['mutation'] })
    expect(drafted('write_file', { staysHere: true, annotations: { destructiveHint: true } }).contract.requires).toEqual({
      trust: 'trusted',
    })
  })

  test('of a sending tool asks who receives it, from arguments that are always there', () => {
    const includes = (properties: JsonObject, required: string[]) =>
      drafted('send', { properties, required }).contract.requires?.audience?.includes
    expect(includes({ to: text, body: text }, ['to'])).toEqual(['$args.to'])
    expect(includes({ recipients: { type: 'array', items: text } }, ['recipients'])).toEqual(['$args.recipients'])
    expect(includes({ to: { anyOf: [text, { type: 'array', items: text }] } }, ['to'])).toEqual(['$args.to'])
    expect(includes({ to: text, cc: text }, ['to'])).toEqual(['public'])
    expect(includes({ to: { type: 'object' } }, ['to'])).toEqual(['public'])
    expect(includes({ channel: text }, ['channel'])).toEqual(['public'])
  })

  test('asks for no less with annotations than without, whatever they say', () => {
    const names = ['list_issues', 'weather', 'fetch', 'search_web', 'create_issue', 'send_mail', 'frobnicate', 'get_and_delete']
    const hint = fc.option(fc.boolean(), { nil: undefined })
    const annotated = fc.record({ readOnlyHint: hint, destructiveHint: hint, openWorldHint: hint, idempotentHint: hint })
    const properties = fc.constantFrom<JsonObject>({}, { url: text }, { to: text }, { command: text, to: text })
    const rest = fc.record({ properties, required: fc.constantFrom<string[]>(['to'], []), staysHere: fc.boolean() })
    fc.assert(
      fc.property(fc.constantFrom(...names), annotated, rest, (name, annotations, more) => {
        const plain = drafted(name, more).contract
        const told = drafted(name, { ...more, annotations: JSON.parse(JSON.stringify(annotations)) as JsonObject }).contract
        expect(told.output).toEqual(plain.output)
        expect(told.effects ?? []).toEqual(expect.arrayContaining([...(plain.effects ?? [])]))
        expect(told.requires ?? {}).toMatchObject(plain.requires ?? {})
      }),
      { numRuns: 2000 },
    )
  })

  test('is a contract the gateway takes, whatever the ranks are called', () => {
    const names = ['list_issues', 'fetch', 'create_issue', 'send_mail', 'frobnicate']
    const trust = ['wild', 'known', 'checked']
    const contracts = Object.fromEntries(
      names.map((originalName) => [
        `s__${originalName}`,
        draftContract({ name: `s__${originalName}`, originalName, definition: undefined, staysHere: false }, trust).contract,
      ]),
    )
    const config = configSchema.parse({ policy: { trust }, contracts })
    expect(compilePolicy(config).problems).toEqual([])
  })
})
