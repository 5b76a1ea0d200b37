import { expect, test } from 'vitest'
import type { McpGateway } from '../../config/snapshot.ts'
import { noReads, readsOf } from '../reads.ts'
import { readTools } from '../tool-definitions.ts'
import { buildCatalogue, type ServerView } from './gateway-catalogue.ts'

const gateway: McpGateway = {
  name: 'g',
  servers: ['a', 'b'],
  tools: { matches: (name: string) => !name.endsWith('secret') },
  instructions: undefined,
  names: 'prefixed',
  aliases: new Map(),
}
const original: McpGateway = { ...gateway, names: 'original' }

const configured = new Set(['a', 'b'])

function view(name: string, tools: readonly string[], missing?: string): ServerView {
  const read = readTools(
    name,
    tools.map((each) => ({ name: each, inputSchema: {} })),
  )
  return { name, missing, ...read, reads: noReads }
}

test('the order of tools does not depend on the order of servers', () => {
  const one = buildCatalogue(gateway, [view('b', ['y', 'x']), view('a', ['z'])], configured)
  const other = buildCatalogue(gateway, [view('a', ['z']), view('b', ['x', 'y'])], configured)
  expect(one.tools.map(({ name }) => name)).toEqual(['a__z', 'b__x', 'b__y'])
  expect(other.tools).toEqual(one.tools.map((tool) => expect.objectContaining({ name: tool.name })))
})

test('tools the gateway does not choose are neither listed nor resolved by any name', () => {
  const catalogue = buildCatalogue(gateway, [view('a', ['secret', 'open'])], configured)
  expect(catalogue.tools.map(({ name }) => name)).toEqual(['a__open'])
  expect(catalogue.resolve('a__secret') ?? catalogue.resolve('secret')).toBeUndefined()
})

test('a name without a prefix means nobody, whoever has it', () => {
  const catalogue = buildCatalogue(gateway, [view('a', ['x', 'own'])], configured)
  expect([catalogue.resolve('own'), catalogue.resolve('x')]).toEqual([undefined, undefined])
})

test('where original names are shown, one that two servers have is shown and taken with their prefixes', () => {
  const catalogue = buildCatalogue(original, [view('a', ['x', 'b__y', 'own']), view('b', ['x', 'y'])], configured)
  expect(catalogue.tools.map(({ definition }) => definition.name)).toEqual(['a__b__y', 'a__x', 'b__x', 'own', 'y'])
  expect(catalogue.resolve('x')).toBeUndefined()
  expect(catalogue.resolve('b__y')?.server).toBe('b')
  for (const name of ['y', 'own', 'a__own', 'a__b__y']) expect(catalogue.resolve(name), name).toBeDefined()
})

test('what is listed under another name is decided under the same', () => {
  const aliased = { ...original, aliases: new Map([['short', 'a__x']]) }
  const catalogue = buildCatalogue(aliased, [view('a', ['x', 'short', 'own']), view('b', ['y'])], configured)
  expect(catalogue.tools.map(({ name, definition }) => [definition.name, name])).toEqual([
    ['a__short', 'a__short'],
    ['own', 'a__own'],
    ['short', 'a__x'],
    ['y', 'b__y'],
  ])
  expect(['short', 'a__x', 'x', 'a__short'].map((name) => catalogue.resolve(name)?.name)).toEqual(['a__x', 'a__x', 'a__x', 'a__short'])
})

test('a name that vendors of models refuse is shown with a prefix, and taken', () => {
  const catalogue = buildCatalogue(original, [view('a', ['calendar.respond'])], configured)
  expect(catalogue.tools.map(({ definition }) => definition.name)).toEqual([expect.stringMatching(/^a__calendar_respond_[0-9a-f]{8}$/)])
  expect(catalogue.resolve('calendar.respond')?.originalName).toBe('calendar.respond')
})

test("a name of the gateway itself is nobody else's", () => {
  const catalogue = buildCatalogue(original, [view('a', ['turnward__run_tool'])], configured)
  expect(catalogue.resolve('turnward__run_tool')).toBeUndefined()
  expect(catalogue.tools.map(({ definition }) => definition.name)).toEqual(['a__turnward__run_tool'])
})

test('the page of a tool is read under the URI that is told, whoever else has the same', () => {
  const withPage = (name: string): ServerView => ({
    ...view(name, []),
    ...readTools(name, [
      {
        name: 'show',
        inputSchema: {},
        _meta: { ui: { resourceUri: 'ui://page/main.html', csp: {} }, 'ui/resourceUri': 'ui://page/main.html' },
      },
    ]),
    reads: readsOf(
      name,
      {
        resources: { entries: [{ uri: 'ui://page/main.html', name: 'page' }], cut: undefined },
        templates: { entries: [], cut: undefined },
        prompts: { entries: [], cut: undefined },
      },
      { resources: {} },
    ),
  })
  const alone = buildCatalogue(gateway, [withPage('a')], configured)
  expect(alone.tools[0]?.definition._meta).toMatchObject({ ui: { resourceUri: 'ui://page/main.html' } })
  const both = buildCatalogue(gateway, [withPage('a'), withPage('b')], configured)
  const pages = both.tools.map(({ definition: { _meta: meta } }) => meta)
  expect(pages).toEqual(
    ['a', 'b'].map((server) => ({
      ui: { resourceUri: `ui://turnward/${server}/page/main.html`, csp: {} },
      'ui/resourceUri': `ui://turnward/${server}/page/main.html`,
    })),
  )
  expect(both.reads.resource('ui://turnward/b/page/main.html')).toMatchObject({ server: 'b', originalName: 'ui://page/main.html' })
  expect(both.reads.resources.map(({ shownName }) => shownName)).toEqual([
    'ui://turnward/a/page/main.html',
    'ui://turnward/b/page/main.html',
  ])
})

test('what a server names in its results has the URI by which it can be read', () => {
  const reading = (name: string, capabilities: object): ServerView => {
    const nothing = { entries: [], cut: undefined }
    const templates = {
      entries: [
        { uriTemplate: `${name}://{id}`, name },
        { uriTemplate: 'shared://{id}', name },
      ],
      cut: undefined,
    }
    return { ...view(name, []), reads: readsOf(name, { resources: nothing, templates, prompts: nothing }, { ...capabilities }) }
  }
  const { reads } = buildCatalogue(gateway, [reading('a', { resources: {} }), reading('b', { resources: {} }), view('c', [])], configured)
  expect(reads.shownUri('a', 'a://1')).toBe('a://1')
  expect(reads.shownUri('a', 'shared://1')).toBe('turnward://a/shared://1')
  // What it names means something of another server, or nobody's.
  expect(reads.shownUri('a', 'b://1')).toBe('turnward://a/b://1')
  expect(reads.shownUri('a', 'unlisted:1')).toBe('turnward://a/unlisted:1')
  for (const uri of ['a://1', 'shared://1', 'b://1', 'unlisted:1'])
    expect(reads.resource(reads.shownUri('a', uri))).toMatchObject({ server: 'a', originalName: uri })
  expect(reads.shownUri('a', 'https://a.example/report')).toBe('https://a.example/report')
  expect(reads.shownUri('c', 'file:///tmp/report')).toBe('file:///tmp/report')
  const alone = buildCatalogue(gateway, [reading('a', { resources: {} })], configured)
  expect(alone.reads.shownUri('a', 'unlisted:1')).toBe('unlisted:1')
})

test('the only server of a gateway that shows original names is told to be down under any name', () => {
  const down = buildCatalogue({ ...original, servers: ['a'] }, [view('a', [], 'it is starting')], configured)
  expect(down.down('never_listed')).toEqual({ tool: 'a__never_listed', server: 'a', why: 'it is starting' })
  const prefixed = buildCatalogue({ ...gateway, servers: ['a'] }, [view('a', [], 'it is starting')], configured)
  expect(prefixed.down('never_listed')).toBeUndefined()
})

test('what cannot be offered is named with why', () => {
  const twice = readTools('a', [
    { name: 'x', inputSchema: {} },
    { name: 'x', inputSchema: {}, description: 'another' },
  ])
  const catalogue = buildCatalogue(
    gateway,
    [{ name: 'a', missing: undefined, ...twice, reads: noReads }, view('b', [], 'it is starting')],
    configured,
  )
  expect(catalogue.tools).toEqual([])
  expect(catalogue.leftOut?.get('a__x')).toContain('several')
  expect(catalogue.missing.get('b')).toBe('it is starting')
})

test('a server that is down keeps its names: they are not offered, and mean no other tool', () => {
  const down = buildCatalogue(original, [view('a', ['x', 'b__y', 'own']), view('b', ['x', 'y'], 'it ended')], configured)
  expect(down.tools.map(({ name }) => name)).toEqual(['a__b__y', 'a__x', 'a__own'])
  for (const name of ['b__x', 'b__y', 'y', 'x', 'b__never']) expect(down.resolve(name), name).toBeUndefined()
  expect(down.down('y')).toEqual({ tool: 'b__y', server: 'b', why: 'it ended' })
  expect(down.down('b__never')).toEqual({ tool: 'b__never', server: 'b', why: 'it ended' })
  expect([down.down('x'), down.down('a__never'), down.down('b__secret'), down.down('own')]).toEqual([
    undefined,
    undefined,
    undefined,
    undefined,
  ])
})

test('a name that begins like the names of another configured server means nobody, though that server is not in the gateway', () => {
  const only = { ...original, servers: ['a'] }
  const names = (servers: Iterable<string>): string[] => {
    const catalogue = buildCatalogue(only, [view('a', ['b__y', 'a__z', 'free__t'])], new Set(servers))
    return ['b__y', 'a__z', 'free__t'].filter((name) => catalogue.resolve(name) !== undefined)
  }
  expect(names(['a', 'b'])).toEqual(['a__z', 'free__t'])
  expect(names(['a'])).toEqual(['b__y', 'a__z', 'free__t'])
})
