import { describe, expect, test } from 'vitest'
import fc from 'fast-check'
import { parseJson } from '../../core/parse-json.ts'
import { replaceModel, setTopLevel } from './splice-bytes.ts'

describe('replacing the model', () => {
  test('changes only the bytes of its value', () => {
    const body = Buffer.from(
      '{ "messages" : [{"model":"no","content":"a \\"model\\":\\"no\\" \u00e9"}],\n "n":1e0, "model" :\t"gpt-5" , "x":[ ] }',
    )
    expect(replaceModel(body, 'o"4\u00e9')?.toString()).toBe(body.toString().replace('"gpt-5"', '"o\\"4\u00e9"'))
  })

  test('finds a key that is written with escapes', () => {
    expect(replaceModel(Buffer.from('{"mod\\u0065l":"a"}'), 'b')?.toString()).toBe('{"mod\\u0065l":"b"}')
  })

  test.each(['{}', '{"a":{"model":"x"}}', '{"model":1}', '{"model":{"model":"x"}}', '{"a":"model"}', '{"a":["model","x"]}'])(
    '%s has no model to replace',
    (text) => {
      expect(replaceModel(Buffer.from(text), 'b')).toBeUndefined()
    },
  )
})

describe('setting a top-level member', () => {
  test.each([
    ['{}', '{"k":{"a":1}}'],
    ['{ }', '{"k":{"a":1} }'],
    ['{"a":1}', '{"k":{"a":1},"a":1}'],
    ['{"a":1,"k":null}', '{"a":1,"k":{"a":1}}'],
    ['{"k" : {"x":"}"} ,"a":1}', '{"k" : {"a":1} ,"a":1}'],
    ['{"k":-1.5e3}', '{"k":{"a":1}}'],
  ])('turns %s into %s', (before, after) => {
    expect(setTopLevel(Buffer.from(before), 'k', '{"a":1}').toString()).toBe(after)
  })

  test('means the same as setting it on the object, for any object', () => {
    const key = fc.oneof(fc.constantFrom('model', 'stream_options', 'a\\', '"'), fc.string())
    fc.assert(
      fc.property(fc.dictionary(key, fc.jsonValue()), key, fc.jsonValue(), fc.boolean(), (object, name, value, pretty) => {
        const body = Buffer.from(JSON.stringify(object, null, pretty ? 2 : undefined))
        const expected = parseJson(
          JSON.stringify(Object.fromEntries([...Object.entries(object).filter(([other]) => other !== name), [name, value]])),
        )
        expect(parseJson(setTopLevel(body, name, JSON.stringify(value)).toString())).toEqual(expected)
      }),
    )
  })
})
