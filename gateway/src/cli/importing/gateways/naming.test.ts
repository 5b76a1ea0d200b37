import { expect, test } from 'vitest'
import { ModelNames } from './model-names.ts'
import { FreeNames } from './naming.ts'

test('names are the first that nobody has, also where one was not taken', () => {
  const [names, taken] = [new FreeNames(), new Set<string>(['openai-2'])]
  const isThere = (name: string): boolean => taken.has(name)
  const take = (wanted: string): string => {
    const name = names.of(wanted, isThere)
    taken.add(name)
    return name
  }
  expect(['openai', 'openai', 'open ai', 'openai'].map(take)).toEqual(['openai', 'openai-3', 'open-ai', 'openai-4'])
  expect(names.of('openai', isThere)).toBe(names.of('openai', isThere))
})

test('however many want one name, hardly more are looked at than are given', () => {
  const [names, taken] = [new FreeNames(), new Set<string>()]
  let looks = 0
  for (let count = 0; count < 5000; count += 1)
    taken.add(
      names.of('openai', (name) => {
        looks += 1
        return taken.has(name)
      }),
    )
  expect(taken.size).toBe(5000)
  expect(looks).toBeLessThan(10_001)
})

test('models of one name are found behind the names of their routes', () => {
  const names = new ModelNames()
  const take = (count: number): string[] => Array.from({ length: count }, () => names.take('gpt-4o', 'chat'))
  expect(take(4)).toEqual(['gpt-4o', 'chat/gpt-4o', 'chat-2/gpt-4o', 'chat-3/gpt-4o'])
  expect([names.take('gpt-4o', 'other'), names.take('*', 'chat'), names.take('*', 'chat')]).toEqual(['other/gpt-4o', 'chat/*', 'chat-2/*'])
})
