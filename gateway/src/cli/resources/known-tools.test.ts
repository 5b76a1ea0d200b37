import { expect, test } from 'vitest'
import { digestJson } from '../../core/hash.ts'
import { configOf, openFloors } from '../../invariants/floors.fixture.ts'
import { knownTools, mentions, placeOf, shownTool, toolDetail } from './known-tools.ts'

const office = await openFloors({
  config: configOf({ contracts: { office__send: { output: { trust: 'trusted' } } } }),
  tools: { office__send: { hints: { destructiveHint: true } }, office__list: {} },
})
const { services } = office
const snapshot = services.snapshot()

const definition = { name: 'send', description: 'Sends it.\u202e\nTo anybody.', inputSchema: { type: 'object' } }
const held = { server: 'office', tool: 'send', digest: digestJson(definition), definition: JSON.stringify(definition), seen: 5 }
const before = { ...definition, description: 'Sends it.' }
const approval = {
  server: 'office',
  tool: 'send',
  digest: digestJson(before),
  definition: JSON.stringify(before),
  approved: 3,
  by: 'first listing',
}

test('a tool that waits for a review is shown once, as its server lists it now, with what differs', () => {
  const known = knownTools(snapshot, services.fleet, [held], [{ ...approval, digest: 'older', approved: 1 }, approval])
  expect(known.map(({ name, pin }) => [name, pin])).toEqual([
    ['office__list', 'unreviewed'],
    ['office__send', 'changed'],
  ])
  const [, send] = known
  if (send === undefined) throw new Error('it is not known')
  const detail = toolDetail(snapshot, send, undefined)
  expect(detail).toMatchObject({
    coverage: 'described',
    description: String.raw`Sends it.\u{202e}`,
    about: 'Sends it.\\u{202e}\nTo anybody.',
    changes: [{ path: 'description', lines: ['- Sends it.', '+ Sends it.\\u{202e}', '+ To anybody.'] }],
    accepted: { digest: approval.digest, at: 3, by: 'first listing' },
    contract: { from: 'configuration', pattern: 'office__send' },
  })
  expect(mentions(send, 'anybody')).toBe(true)
  expect(mentions(send, 'list')).toBe(false)
})

test('what was accepted a moment ago is what is shown, though its server was not listed again yet', () => {
  const accepted = { ...approval, digest: held.digest, definition: held.definition, approved: 9, by: 'olga' }
  const [, send] = knownTools(snapshot, services.fleet, [], [approval, accepted])
  expect(send).toMatchObject({ pin: 'accepted', digest: held.digest, definition: { description: definition.description } })
})

test('two tools of one name have places of their own in the order', () => {
  const one = { name: 'office__send', server: 'office', tool: 'send' }
  expect(new Set([placeOf(one), placeOf({ ...one, tool: 'se.nd' }), placeOf({ ...one, server: 'other' })]).size).toBe(3)
})

test('what waits of a server that is not configured any more is no tool', () => {
  expect(knownTools(snapshot, services.fleet, [{ ...held, server: 'gone' }], []).map(({ name }) => name)).toEqual([
    'office__list',
    'office__send',
  ])
})

test('who describes a tool is told apart: the configuration, a pack, nobody', () => {
  const [list, send] = knownTools(snapshot, services.fleet, [], [])
  if (list === undefined || send === undefined) throw new Error('they are not known')
  const pack = {
    ...snapshot,
    policy: {
      ...snapshot.policy,
      contractOf: () => ({ ...snapshot.policy.contractOf('office__send'), packs: [{ name: 'files', version: 1 }] }),
    },
  }
  expect([
    shownTool(snapshot, send, undefined).coverage,
    shownTool(snapshot, list, undefined).coverage,
    shownTool(pack as unknown as typeof snapshot, send, undefined).coverage,
  ]).toEqual(['described', 'undescribed', 'pack'])
})
