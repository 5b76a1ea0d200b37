import { expect, test } from 'vitest'
import { noReads } from '../reads.ts'
import { readTools } from '../tool-definitions.ts'
import { buildCatalogue, type ServerView } from './gateway-catalogue.ts'

const gateway = { name: 'g', servers: ['a', 'b'], tools: { matches: (name: string) => !name.endsWith('secret') }, instructions: undefined }

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

test('an original name that two servers have means nobody; an exposed name always wins', () => {
  const catalogue = buildCatalogue(gateway, [view('a', ['x', 'b__y']), view('b', ['x', 'y'])], configured)
  expect(catalogue.resolve('x')).toBeUndefined()
  expect(catalogue.resolve('b__y')?.server).toBe('b')
  expect(catalogue.resolve('y')?.server).toBe('b')
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
  const down = buildCatalogue(gateway, [view('a', ['x', 'b__y', 'own']), view('b', ['x', 'y'], 'it ended')], configured)
  expect(down.tools.map(({ name }) => name)).toEqual(['a__b__y', 'a__own', 'a__x'])
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
  const only = { ...gateway, servers: ['a'] }
  const names = (servers: Iterable<string>): string[] => {
    const catalogue = buildCatalogue(only, [view('a', ['b__y', 'a__z', 'free__t'])], new Set(servers))
    return ['b__y', 'a__z', 'free__t'].filter((name) => catalogue.resolve(name) !== undefined)
  }
  expect(names(['a', 'b'])).toEqual(['a__z', 'free__t'])
  expect(names(['a'])).toEqual(['b__y', 'a__z', 'free__t'])
})
