import { expect, test } from 'vitest'
import { parse } from 'yaml'
import { configSchema } from '@turnward/contract/config'
import { checkRemembering } from './remembering.ts'

test('a tool that changes something without a word of what others of its server remember is told', () => {
  const told: string[] = []
  const { contracts } = configSchema.parse(
    parse(`
contracts:
  notes__write: { effects: [mutation], remembers: { by: name } }
  notes__read: { remembers: { by: name } }
  notes__list: {}
  notes__append: { effects: [mutation] }
  mail__send: { effects: [mutation] }
  append: { effects: [mutation] }
`),
  )
  checkRemembering({ contracts }, (path, message, options) => told.push(`${path.join('.')}: ${message} ${JSON.stringify(options)}`))
  expect(told).toEqual([expect.stringMatching(/^contracts\.notes__append: .*`notes__read`.*"isNotice":true/)])
})
