import { expect, test } from 'vitest'
import { seal, unseal } from './sealing.ts'

const content = Buffer.from('what nobody else may know')

test('what was sealed is opened under the same secret and name, and under no other', () => {
  const sealed = seal('one', 'secret', content)
  expect(unseal('one', 'secret', sealed)).toEqual(content)
  expect(unseal('another', 'secret', sealed)).toBeUndefined()
  expect(unseal('one', 'checkpoint key', sealed)).toBeUndefined()
})

test('what was changed, cut or never sealed is not opened', () => {
  const sealed = seal('one', 'secret', content)
  const bytes = Buffer.from(sealed, 'base64url')
  for (const at of [0, 12, 28, bytes.length - 1]) {
    const changed = Buffer.from(bytes)
    changed.writeUInt8(changed.readUInt8(at) ^ 1, at)
    expect(unseal('one', 'secret', changed.toString('base64url'))).toBeUndefined()
  }
  for (const text of ['', 'short', sealed.slice(0, -4)]) expect(unseal('one', 'secret', text)).toBeUndefined()
})

test('the same content is never sealed into the same text', () => {
  expect(seal('one', 'secret', content)).not.toBe(seal('one', 'secret', content))
})
