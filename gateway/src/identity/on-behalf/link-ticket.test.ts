import { expect, test } from 'vitest'
import { openTicket, sealTicket } from './link-ticket.ts'

const secret = Buffer.alloc(32, 7)
const ticket = { person: 'alice', server: 'jira', scopes: ['read'], expires: 2000 }

test('a link says for whom it was made and what is wanted, until it is too old', () => {
  const text = sealTicket(secret, ticket)
  expect(openTicket(secret, text, 1999)).toEqual(ticket)
  expect(openTicket(secret, text, 2000)).toBeUndefined()
  expect(text).toMatch(/^[\w-]+$/)
})

test('nobody can read one, or make or change one', () => {
  const text = sealTicket(secret, ticket)
  expect(Buffer.from(text, 'base64url').toString('latin1')).not.toContain('alice')
  expect(openTicket(Buffer.alloc(32, 8), text, 0)).toBeUndefined()
  for (const changed of [
    `${text}A`,
    text.slice(1),
    text.replace(/^./, (first) => (first === 'A' ? 'B' : 'A')),
    '',
    'x',
    'a'.repeat(100_000),
  ])
    expect(openTicket(secret, changed, 0)).toBeUndefined()
})
