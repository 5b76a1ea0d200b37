import { describe, expect, test } from 'vitest'
import type { JsonObject } from '../core/json.ts'
import { compileArguments } from './argument-roles.ts'
import { compileRemembers, rememberedValues, writtenLabel } from './remembered-values.ts'
import type { Contract } from './types.ts'

describe('what a call names is', () => {
  test.each<[string, Parameters<typeof compileRemembers>[0], JsonObject, readonly string[] | undefined]>([
    ['the value of its argument', { by: 'path', below: false }, { path: 'a', content: 'b' }, ['a']],
    ['a number as text', { by: 'issue', below: false }, { issue: 12 }, ['12']],
    ['each of a list', { by: 'paths', below: false }, { paths: ['a', 'b'] }, ['a', 'b']],
    ['each of several arguments', { by: ['source', 'destination'], below: false }, { source: 'a', destination: 'b' }, ['a', 'b']],
    ['what is there of them', { by: ['path', 'paths'], below: false }, { path: null, paths: ['b'] }, ['b']],
    ['nested, through lists', { by: 'notes.name', below: false }, { notes: [{ name: 'a' }, { name: 'b' }] }, ['a', 'b']],
    ['everything, where the tool names nothing', 'all', { path: 'a' }, undefined],
    ['everything, where its argument is missing', { by: 'path', below: false }, { file: 'a' }, undefined],
    ['everything, where one of a list is', { by: 'notes.name', below: false }, { notes: [{ name: 'a' }, 'b'] }, undefined],
    ['everything, where one of a list has none', { by: 'notes.name', below: false }, { notes: [{ name: 'a' }, {}] }, undefined],
    ['everything, where one of a list is nothing', { by: 'paths', below: false }, { paths: ['a', null] }, undefined],
    ['everything, where it is empty', { by: 'path', below: false }, { path: ' ' }, undefined],
    ['everything, where it is no text', { by: 'path', below: false }, { path: true }, undefined],
    ['everything, where it is an object', { by: 'path', below: false }, { path: { a: 'b' } }, undefined],
    ['everything, where an argument of several cannot be read', { by: ['a', 'b'], below: false }, { a: 'x', b: {} }, undefined],
    ['everything, where there are too many', { by: 'paths', below: false }, { paths: Array.from({ length: 300 }, () => 'a') }, undefined],
    ['everything, where it is too long', { by: 'path', below: false }, { path: 'a'.repeat(5000) }, undefined],
    ['everything, where a name is one of every object', { by: 'constructor', below: false }, {}, undefined],
  ])('%s', (_what, config, args, values) => {
    expect(rememberedValues(compileRemembers(config), args)).toEqual(values)
  })
})

describe('what is written by a call whose contract has let it pass is', () => {
  const args = compileArguments(
    { path: 'destination', text: { role: 'content', trust: 'known', values: [], links: 'any' }, note: 'content' },
    2,
    () => 1,
    () => [],
  )
  const of = (call: JsonObject, trust: number, roles: Contract['args'] = args) =>
    writtenLabel({ args: roles } as Contract, call, { trust, audience: [['@hr']] })

  test.each<[string, JsonObject, number, number]>([
    ['as trusted as the least of the sources that were needed', { path: 'a', text: 'b' }, 0, 1],
    ['no less trusted than its session', { path: 'a', text: 'b' }, 2, 2],
    ['as trusted as its session where words need none', { path: 'a', note: 'b' }, 0, 0],
    ['whatever is only on or off', { path: 'a', note: true }, 0, 2],
    ['as trusted as its session where there are no values', {}, 0, 0],
    ['as trusted as its session where values say nothing', { note: false }, 0, 0],
  ])('%s', (_what, call, trust, written) => {
    expect(of(call, trust)).toEqual({ trust: written, audience: [['@hr']] })
  })

  test('as trusted as its session where nothing is asked of arguments', () => {
    expect(writtenLabel({} as Contract, { path: 'a' }, { trust: 0, audience: [] }).trust).toBe(0)
  })
})
