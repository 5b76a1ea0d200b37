import { expect, test } from 'vitest'
import { chooseProgram } from './installing-server.ts'

const of = { name: '@acme/tools', version: '1.0.0' }
const programs = (...names: string[]) => new Map(names.map((name) => [name, [`/x/${name}`]]))

test('the only program of a package is its server, of several the one that is asked for or named like the package', () => {
  expect(chooseProgram(of, programs('serve'), undefined)).toEqual({ bin: 'serve', program: ['/x/serve'] })
  expect(chooseProgram(of, programs('serve', 'tools'), undefined).bin).toBe('tools')
  expect(chooseProgram(of, programs('serve', 'tools'), 'serve').bin).toBe('serve')
})

test('which of several is not guessed, and one that is not there is told with those that are', () => {
  expect(() => chooseProgram(of, programs('a', 'b'), undefined)).toThrow(/2 programs: a, b.*--bin/)
  expect(() => chooseProgram(of, programs('a', 'b'), 'c')).toThrow(/a, b/)
  expect(() => chooseProgram(of, programs(), undefined)).toThrow('no program')
})
