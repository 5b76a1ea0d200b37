import { describe, expect, test } from 'vitest'
import { listedValues, opaqueValue, singleValue } from './header-values.ts'

const bytes = (text: string): string => Buffer.from(text).toString('latin1')
const refused = (why: string): object =>
  expect.objectContaining({ code: 'request.invalid', subject: 'x-user', why: expect.stringContaining(why) })

describe('one value', () => {
  test.each([
    ['alice', 'alice'],
    [' alice ', 'alice'],
    ['Alice Example', 'Alice Example'],
    [bytes('zoë@acme.example'), 'zoë@acme.example'],
    ['', undefined],
    ['   ', undefined],
  ])('%j is %j', (sent, value) => expect(singleValue({ 'x-user': sent }, 'x-user')).toBe(value))

  test.each([
    ['alice, bob', 'twice'],
    ['a'.repeat(257), 'more than 256'],
    ['zo\xeb', 'not UTF-8'],
    ['\xc0\xae', 'not UTF-8'],
    ['al\x01ice', 'cannot be seen'],
    [bytes('al\u200bice'), 'cannot be seen'],
    [bytes('ecila\u202ealice'), 'cannot be seen'],
    [bytes('al\u00a0ice'), 'cannot be seen'],
    [bytes('al\u0085ice'), 'cannot be seen'],
    ['al\tice', 'cannot be seen'],
  ])('%j names nobody', (sent, why) => expect(() => singleValue({ 'x-user': sent }, 'x-user')).toThrow(refused(why)))
})

describe('a list', () => {
  test('is separated by commas, with or without spaces, and has each name once', () => {
    expect(listedValues({ 'x-user': 'staff,support , Domain Users,, staff' }, 'x-user')).toEqual(['staff', 'support', 'Domain Users'])
    expect(listedValues({}, 'x-user')).toEqual([])
  })

  test.each([
    ['staff; admin', 'other than commas'],
    ['staff|admin', 'other than commas'],
    ['["staff","admin"]', 'other than commas'],
    ['staff\tadmin', 'cannot be seen'],
    ['g'.repeat(300), 'more than 256'],
    [Array.from({ length: 201 }, (_, index) => `g${index}`).join(','), 'more than 200'],
    ['g,'.repeat(5000), 'more than 8192'],
  ])('%.40j is refused', (sent, why) => expect(() => listedValues({ 'x-user': sent }, 'x-user')).toThrow(refused(why)))
})

test('a token is one, and not too long', () => {
  expect(opaqueValue({ 'x-user': 'a.b.c' }, 'x-user', 10)).toBe('a.b.c')
  expect(() => opaqueValue({ 'x-user': 'a.b.c, d.e.f' }, 'x-user', 100)).toThrow(refused('twice'))
  expect(() => opaqueValue({ 'x-user': 'a.b.c' }, 'x-user', 4)).toThrow(refused('more than 4'))
})
