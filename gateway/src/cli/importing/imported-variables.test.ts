import { expect, test } from 'vitest'
import { ImportedVariables, variableName, withoutValues } from './imported-variables.ts'

test('a value has one variable, and equal values of one name share it', () => {
  const variables = new ImportedVariables({}, [])
  expect(variables.holding('a', 'API_KEY', 'one')).toBe('${API_KEY}')
  expect(variables.holding('b', 'API_KEY', 'one')).toBe('${API_KEY}')
  expect(variables.list()).toEqual([{ name: 'API_KEY', value: 'one', about: '', servers: ['a', 'b'] }])
})

test('the key of one server is never given to another', () => {
  const variables = new ImportedVariables({ TOKEN: 'of the shell' }, ['API_KEY'])
  expect(variables.holding('b', 'TOKEN', 'mine')).toBe('${B_TOKEN}')
  expect(variables.holding('b', 'API_KEY', 'mine')).toBe('${B_API_KEY}')
  expect(variables.named('c', 'API_KEY')).toBe('${API_KEY}')
  expect(variables.holding('one', 'SECRET', '1')).toBe('${SECRET}')
  expect(variables.holding('two', 'SECRET', '2')).toBe('${TWO_SECRET}')
  expect(variables.holding('two', 'SECRET', '3')).toBe('${TWO_SECRET_2}')
  expect(variables.holding('two', 'SECRET', '2')).toBe('${TWO_SECRET}')
  const values = variables.list().map(({ name, value }) => [name, value])
  expect(values).toEqual([
    ['API_KEY', undefined],
    ['B_API_KEY', 'mine'],
    ['B_TOKEN', 'mine'],
    ['SECRET', '1'],
    ['TWO_SECRET', '2'],
    ['TWO_SECRET_2', '3'],
  ])
})

test('a variable that is set to the same already keeps its name', () => {
  expect(new ImportedVariables({ TOKEN: 'same' }, []).holding('a', 'TOKEN', 'same')).toBe('${TOKEN}')
})

test('a default stays one, and nothing has to be set for it', () => {
  const variables = new ImportedVariables({}, [])
  expect(variables.named('a', 'DEBUG', { fallback: 'no' })).toBe('${DEBUG:-no}')
  expect(variables.list()).toEqual([])
})

test.each([
  ['github-token', 'GITHUB_TOKEN'],
  ['my server_api.key', 'MY_SERVER_API_KEY'],
  ['0day', 'VALUE_0DAY'],
])('%s is %s as the name of a variable', (text, name) => {
  expect(variableName(text)).toBe(name)
})

test('what somebody says of a failure is shown without the values it was given', () => {
  expect(withoutValues('the token hunter2hunter2 is wrong, is unset', ['hunter2hunter2', 'is'])).toBe('the token **** is wrong, is unset')
})
