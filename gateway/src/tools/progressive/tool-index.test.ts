import { expect, test } from 'vitest'
import { noReads } from '../reads.ts'
import type { GatewayCatalogue } from '../catalogue.ts'
import { readTools } from '../tool-definitions.ts'
import { foundIn } from './tool-index.ts'

const catalogueOf = (server: string, listed: readonly object[]): GatewayCatalogue =>
  ({
    tools: readTools(
      server,
      listed.map((tool) => ({ inputSchema: { type: 'object' }, ...tool })),
    ).tools,
    reads: noReads,
    missing: new Map(),
    leftOut: new Map(),
    resolve: () => undefined,
    held: () => undefined,
    down: () => undefined,
  }) as unknown as GatewayCatalogue

const crm = catalogueOf('crm', [
  { name: 'listCustomers', description: 'Lists customers.' },
  { name: 'create_invoice', description: 'Writes a bill for an order.' },
  { name: 'send-mail', description: 'Sends a message to a customer.' },
  {
    name: 'export',
    description: 'x'.repeat(100_000),
    inputSchema: { type: 'object', properties: { format: { description: 'CSV or spreadsheet' } } },
  },
  { name: 'HTTPProbe', title: 'Checks that a site answers' },
])
const first = (query: string) => foundIn(crm, query)[0]?.originalName

test.each([
  ['customers', 'listCustomers'],
  ['list customer', 'listCustomers'],
  ['List Customers!', 'listCustomers'],
  ['invoice', 'create_invoice'],
  ['invoise', 'create_invoice'],
  ['bill', 'create_invoice'],
  ['mail', 'send-mail'],
  ['spreadsheet', 'export'],
  ['probe', 'HTTPProbe'],
  ['does the site answer', 'HTTPProbe'],
  ['crm__create_invoice', 'create_invoice'],
])('%s is found: %s', (query, expected) => {
  expect(first(query)).toBe(expected)
})

test('a tool of this very name is first, whatever else has the word', () => {
  const tools = catalogueOf('a', [
    { name: 'get', description: 'One.' },
    { name: 'get_get_get', description: 'get get get get', title: 'get' },
  ])
  expect(foundIn(tools, 'get').map(({ originalName }) => originalName)).toEqual(['get', 'get_get_get'])
  expect(foundIn(tools, ' a__get ')[0]?.originalName).toBe('get')
})

test('a word in a name counts for more than one in a description', () => {
  const tools = catalogueOf('a', [
    { name: 'one', description: 'Reads a report.' },
    { name: 'report', description: 'Another thing.' },
  ])
  expect(foundIn(tools, 'report').map(({ originalName }) => originalName)).toEqual(['report', 'one'])
})

test('who has all of the words comes before who has many of one', () => {
  const tools = catalogueOf('a', [
    { name: 'issue_issue_issue', title: 'Issue', description: 'issues' },
    { name: 'new', description: 'Makes an issue for somebody.' },
  ])
  expect(foundIn(tools, 'a new issue for me').map(({ originalName }) => originalName)).toEqual(['new', 'issue_issue_issue'])
})

test('without a word to look for everything is there, in the order of the catalogue', () => {
  expect(foundIn(crm, ' !? ')).toEqual(crm.tools)
})

test('what is found nowhere is not found', () => {
  expect(foundIn(crm, 'xylophone')).toEqual([])
})

test('words without end cost no more than a few', () => {
  expect(foundIn(crm, `${'zz '.repeat(100_000)}mail`)).toEqual([])
  expect(first(`mail ${'q'.repeat(100_000)}`)).toBe('send-mail')
})

test('a catalogue that is built anew with the same tools finds its own', () => {
  const again = { ...crm, tools: crm.tools.map((tool) => ({ ...tool })) }
  const [before, after] = [foundIn(crm, 'invoice')[0], foundIn(again, 'invoice')[0]]
  expect(after).toEqual(before)
  expect(again.tools).toContain(after)
})
