import fc from 'fast-check'
import { describe, expect, test } from 'vitest'
import { answeredId, namesMethod } from './answered-id.ts'

const idOf = (text: string): unknown => answeredId(Buffer.from(text.slice(0, 4096)), Buffer.from(text.slice(-4096)))

describe('whose answer a long message is', () => {
  const long = `{"content":[{"type":"text","text":"${'x'.repeat(9000)}"}]}`

  test.each([
    ['before the result', `{"jsonrpc":"2.0","id":7,"result":${long}}`, 7],
    ['before it, as text, with spaces', ` { "id" : "7" , "jsonrpc" : "2.0" , "result" : ${long} }`, '7'],
    ['after the result', `{"result":${long},"jsonrpc":"2.0","id":7}`, 7],
    ['between members nobody knows', `{"x":null,"result":${long},"y":"a\\"b","id":7,"z":true} `, 7],
  ])('%s', (_where, text, id) => {
    expect(idOf(text)).toBe(id)
  })

  test.each([
    ['an id within the result', `{"jsonrpc":"2.0","result":{"a":"${'x'.repeat(9000)}","id":7}}`],
    ['an id within a text of the result', `{"jsonrpc":"2.0","result":{"a":"${'x'.repeat(9000)},\\"id\\":7}"}}`],
    ['a request of the server', `{"jsonrpc":"2.0","method":"sampling/createMessage","params":${long},"id":7}`],
    ['a request of the server, by its end', `{"params":${long},"method":"sampling/createMessage","id":7}`],
    ['no message', 'x'.repeat(9000)],
  ])('is not told by %s', (_what, text) => {
    expect(idOf(text)).toBeUndefined()
  })

  test('is never told by what stands in the result', () => {
    fc.assert(
      fc.property(fc.json(), fc.string(), (value, text) => {
        const pad = 'x'.repeat(9000)
        const found = idOf(JSON.stringify({ jsonrpc: '2.0', result: { pad, text: `${text},"id":7}`, value, end: `,"id":7}` } }))
        expect(found).toBeUndefined()
      }),
    )
  })

  test('and what asks or tells something says so', () => {
    expect(namesMethod(Buffer.from('{"jsonrpc":"2.0","method":"notifications/message","params":{'))).toBe(true)
    expect(namesMethod(Buffer.from('{"jsonrpc":"2.0","id":1,"result":{"method":"x"'))).toBe(false)
  })
})
