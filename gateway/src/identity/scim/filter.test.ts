import { describe, expect, test } from 'vitest'
import { meets, readFilter, requiredValue } from './filter.ts'

const ada = {
  id: 'usr_1',
  userName: 'Ada@acme.example',
  active: true,
  name: { givenName: 'Ada', familyName: 'L"ovelace' },
  emails: [
    { value: 'ada@acme.example', type: 'work', primary: true },
    { value: 'ada@home.example', type: 'home' },
  ],
  'urn:ietf:params:scim:schemas:extension:enterprise:2.0:User': { department: 'Engines' },
}

describe('a filter', () => {
  test.each([
    ['userName eq "ada@ACME.example"', true],
    ['USERNAME Eq "ada@acme.example" and active eq true', true],
    ['active eq "True"', true],
    ['userName ne "ada@acme.example"', false],
    ['name.familyName co "\\"ove"', true],
    ['name.givenName sw "b" or (name.givenName ew "a" and not (active eq false))', true],
    ['emails.value eq "ada@home.example"', true],
    ['emails eq "ada@home.example"', true],
    ['emails[type eq "work" and value sw "ada@home"]', false],
    ['emails[type eq "home"] and title pr', false],
    ['urn:ietf:params:scim:schemas:extension:enterprise:2.0:User:department eq "engines"', true],
    ['urn:ietf:params:scim:schemas:core:2.0:User:userName pr', true],
    ['id eq "USR_1"', false],
    ['constructor pr or __proto__x pr', undefined],
    ['toString pr', false],
  ])('%s', (text, expected) => {
    if (expected === undefined) expect(() => readFilter(text)).toThrow()
    else expect(meets(ada, readFilter(text))).toBe(expected)
  })

  test.each([
    'userName eq',
    'userName "x"',
    'userName eq ada',
    'userName eq "a" or',
    '(userName eq "a"',
    'emails[type eq "work"',
    'userName eq "a") or 1 eq 1',
    `userName eq "x' or '1'='1`,
    'userName eq "a"; drop table people',
    'userName eq {"$ne":null}',
    `${'('.repeat(20)}userName pr${')'.repeat(20)}`,
    Array.from({ length: 60 }, () => 'userName pr').join(' or '),
    `userName eq "${'x'.repeat(3000)}"`,
  ])('that says something else is refused: %s', (text) => {
    expect(() => readFilter(text)).toThrow(expect.objectContaining({ status: 400, scimType: 'invalidFilter' }))
  })

  test('says which value it requires, where it requires one', () => {
    expect(requiredValue(readFilter('active eq true and userName eq "a"'), 'userName')).toBe('a')
    expect(requiredValue(readFilter('active eq true or userName eq "a"'), 'userName')).toBeUndefined()
    expect(requiredValue(readFilter('not (userName eq "a")'), 'userName')).toBeUndefined()
  })
})
