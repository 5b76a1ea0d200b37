/** What clients can be asked, as they have declared it. */
import { expect, test } from 'vitest'
import { askable, capabilityFor, everything, offersOf, readInputRequired, whyNotAsked } from './asks.ts'
import { appsExtension, tasksExtension } from './extensions.ts'

const elicit = (params = {}) => ({ method: 'elicitation/create', params })
const sample = (params = {}) => ({ method: 'sampling/createMessage', params })

test('nobody is asked what they do not offer', () => {
  expect(whyNotAsked(elicit(), { elicitation: {} })).toBeUndefined()
  expect(whyNotAsked(elicit(), { roots: {} })).toContain('elicitation')
  expect(whyNotAsked(elicit({ mode: 'url' }), { elicitation: { form: {} } })).toContain('pages')
  expect(whyNotAsked(elicit({ mode: 'url', url: 'https://example.com/a' }), { elicitation: { url: {} } })).toBeUndefined()
  expect(whyNotAsked(sample(), { sampling: {} })).toBeUndefined()
  expect(whyNotAsked(sample({ tools: [] }), { sampling: {} })).toContain('tools')
  expect(whyNotAsked({ method: 'roots/list', params: {} }, {})).toContain('roots')
  expect(whyNotAsked({ method: 'tools/call', params: {} }, { tools: {} })).toBeDefined()
  expect(capabilityFor(elicit({ mode: 'url' }))).toEqual({ elicitation: { url: {} } })
})

test.each([
  'javascript:alert(1)',
  'file:///etc/passwd',
  'vscode://settings',
  'data:text/html,hi',
  'not a page',
  '',
  undefined,
  7,
  `https://${'a'.repeat(9000)}`,
])('nobody is asked to open %s', (url) => {
  expect(whyNotAsked(elicit({ mode: 'url', ...(url === undefined ? {} : { url }) }), { elicitation: { url: {} } })).toContain('web page')
})

test('servers are told of what they may ask for, and nothing else', () => {
  const offers = offersOf({
    elicitation: { form: { anything: 1 } },
    sampling: { tools: {} },
    roots: { listChanged: true },
    experimental: {},
  })
  expect(offers).toEqual({ elicitation: { form: {} }, sampling: { tools: {} }, roots: {} })
  expect(askable(offers, ['roots'])).toEqual({ roots: {} })
  expect(Object.keys(everything([]))).toEqual(['extensions'])
})

test('of extensions those that go through the gateway are told, in as many words as they need', () => {
  const capabilities = {
    extensions: {
      'io.modelcontextprotocol/tasks': { anything: 1 },
      'io.modelcontextprotocol/ui': { mimeTypes: ['text/html;profile=mcp-app', 5, 'x'.repeat(200)], more: {} },
      'example.com/other': {},
    },
  }
  expect(offersOf(capabilities, [tasksExtension, appsExtension])).toEqual({
    extensions: {
      'io.modelcontextprotocol/tasks': {},
      'io.modelcontextprotocol/ui': { mimeTypes: ['text/html;profile=mcp-app'] },
    },
  })
  expect(offersOf(capabilities)).toEqual({})
  expect(offersOf({ extensions: [] }, [tasksExtension])).toEqual({})
})

test('a result that asks is read, or refused whole', () => {
  const asks = (inputRequests: unknown, requestState?: unknown) =>
    readInputRequired({ resultType: 'input_required', inputRequests, ...(requestState === undefined ? {} : { requestState }) } as never)
  expect(readInputRequired({ content: [] })).toBeUndefined()
  expect(asks({ a: elicit() }, 'state')).toMatchObject({ state: 'state' })
  expect(asks({}, 'state')?.requests.size).toBe(0)
  for (const [requests, state] of [
    [{}, undefined],
    [[], 'state'],
    [{ a: 'elicitation/create' }, 'state'],
    [{ a: { method: 'tools/call' } }, 'state'],
    [{ a: elicit() }, 7],
    [Object.fromEntries(Array.from({ length: 33 }, (_, at) => [`k${at}`, elicit()])), 'state'],
  ])
    expect(() => asks(requests, state)).toThrow(RangeError)
})
