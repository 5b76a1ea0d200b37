import fc from 'fast-check'
import { describe, expect, test } from 'vitest'
import { configSchema } from '@turnward/contract/config'
import { compileDirectory, directoryProblems } from './directory.ts'
import {
  covers,
  mayReceive,
  parseArgumentReaders,
  parseConfiguredReader,
  possibleReaders,
  principalReader,
  namesOfPrincipal,
} from './readers.ts'
import type { Directory } from './types.ts'
import { people, principal, type ConfigInput } from './written-policy.fixture.ts'

/** A directory that knows nobody, and of which nobody knows whether it is all. */
const anybody: Directory = { namesOf: (reader) => [reader] }

const directoryOf = (principals: ConfigInput['principals']) => compileDirectory(configSchema.parse({ principals }).principals)
const directory = directoryOf(people)

describe('an argument that names readers', () => {
  test.each([
    ['bob@corp.example', ['bob@corp.example']],
    ['  Bob@Corp.Example ', ['bob@corp.example']],
    ['Bob Jones <bob@corp.example>', ['bob@corp.example']],
    ['"Jürgen" <j@corp.example>', ['j@corp.example']],
    ['a@x.example, b@y.example;c@z.example', ['a@x.example', 'b@y.example', 'c@z.example']],
    ['@hr', ['@hr']],
    ['corp.example', ['corp.example']],
    ['alice', ['alice']],
    ['bob+tag@corp.example', ['bob+tag@corp.example']],
  ])('%j is read as %j', (value, readers) => expect(parseArgumentReaders(value)).toEqual(readers))

  test.each([
    ['', 'nothing'],
    [' , ', 'only separators'],
    ['a@x.example,', 'a trailing separator'],
    ['bob@corp.example evil@x.example', 'a space between addresses'],
    ['bob@corp.example\nbcc: evil@x.example', 'a line break'],
    ['bob@corp.example\n', 'a line break at the end'],
    ['bob@corp.example\u0000', 'a control character'],
    ['bob\u200b@corp.example', 'a zero-width character'],
    ['\u202ebob@corp.example', 'a direction override'],
    ['bob@evil.example@corp.example', 'more than one @'],
    ['b\u043eb@corp.example', 'a Cyrillic letter'],
    ['bob@c\uff4frp.example', 'a full-width letter'],
    ['\u212aate@corp.example', 'a letter that lower-cases into ASCII'],
    ['bob@corp\u3002example', 'an ideographic full stop'],
    ['evil@x.example <bob@corp.example>', 'an address as display name'],
    ['<evil@x.example> <bob@corp.example>', 'two bracketed addresses'],
    ['Bob <bob@corp.example> evil@x.example', 'text after the address'],
    ['Bob <alice>', 'a name in brackets that is no address'],
    ['evil%x.example@corp.example', 'a percent route'],
    ['x.example!evil@corp.example', 'a bang path'],
    ['"bob"@corp.example', 'a quoted local part'],
    ['bob(evil@x.example)@corp.example', 'a comment'],
    ['bob@[10.0.0.1]', 'an address literal'],
    ['mailto:bob@corp.example', 'a URI'],
    ['-bob@corp.example', 'something that could be an option'],
    ['bob@corp.example.', 'a trailing dot'],
    ['bob@', 'no domain'],
    ['@', 'no group'],
    ['$principal', 'a reference'],
  ])('%j is not read (%s)', (value) => expect(parseArgumentReaders(value)).toBeUndefined())

  test('is not read when it is longer than any real list', () => {
    expect(parseArgumentReaders(Array.from({ length: 1001 }, () => 'a@b').join(','))).toBeUndefined()
    expect(parseArgumentReaders('a'.repeat(100_000))).toBeUndefined()
  })

  test('whatever it is, every reader read from it is plain ASCII without spaces', () => {
    fc.assert(
      fc.property(fc.string({ unit: fc.constantFrom(...'ab@.,;<> "\n\u200b\u043e!%-'.split('')) }), (value) => {
        for (const reader of parseArgumentReaders(value) ?? [])
          expect(reader).toMatch(/^[a-z0-9_][a-z0-9_.+'&=~-]*(@[a-z0-9.-]+)?$|^@[a-z0-9][a-z0-9_.-]*$/)
      }),
      { numRuns: 2000 },
    )
  })
})

describe('a configured reader', () => {
  const names = { principals: new Set(['alice', 'bob.dev']), groups: new Set(['hr']) }
  test.each([
    ['@HR', '@hr'],
    ['hr', '@hr'],
    ['Alice', 'alice'],
    ['bob.dev', 'bob.dev'],
    ['corp.example', 'corp.example'],
    ['x@corp.example', 'x@corp.example'],
    ['public', 'public'],
    ['$principal', '$principal'],
  ])('%j means %j', (text, reader) => expect(parseConfiguredReader(text, names)).toEqual({ reader }))

  test('that is an unknown bare word is a problem with a suggestion', () => {
    expect(parseConfiguredReader('alcie', names)).toEqual({
      problem: '`alcie` is not a declared principal or group; did you mean `alice`?',
    })
    expect(parseConfiguredReader('b\u043eb@corp.example', names)).toHaveProperty('problem')
  })
})

describe('covers', () => {
  test.each([
    ['bob', true, 'an id through its group'],
    ['bob@corp.example', true, 'an address through its owner'],
    ['bob@home.example', true, 'a private address of a member'],
    ['carol', false, 'somebody outside'],
    ['eve@corp.example', false, 'an unknown address'],
    ['@support', true, 'the group itself'],
    ['@hr', false, 'another group, even if all its members are inside'],
    ['public', false, 'everyone'],
  ])('[@support] for %s: %s (%s)', (reader, expected) => expect(covers(['@support'], reader, directory)).toBe(expected))

  test('a domain covers its addresses and its people, not their private mailboxes, not subdomains', () => {
    expect(covers(['corp.example'], 'eve@corp.example', directory)).toBe(true)
    expect(covers(['corp.example'], 'bob', directory)).toBe(true)
    expect(covers(['corp.example'], 'bob@home.example', directory)).toBe(false)
    expect(covers(['corp.example'], 'eve@mail.corp.example', directory)).toBe(false)
    expect(covers(['corp.example'], 'eve@evilcorp.example', directory)).toBe(false)
  })

  test('a principal called like a domain is not that domain', () => {
    const odd = directoryOf({ 'bob.dev': {} })
    expect(covers(['bob.dev'], 'bob.dev', odd)).toBe(true)
    expect(covers(['bob.dev'], 'evil@bob.dev', odd)).toBe(false)
  })

  test('an address two people share means neither of them', () => {
    const shared = { alice: { groups: ['hr'], emails: ['desk@corp.example'] }, bob: { emails: ['desk@corp.example'] } }
    for (const clause of [['@hr'], ['alice'], ['bob']]) expect(covers(clause, 'desk@corp.example', directoryOf(shared))).toBe(false)
    expect(directoryProblems(configSchema.parse({ principals: shared }))).toHaveLength(1)
  })
})

describe('possibleReaders', () => {
  test('finds who the clauses name, else people who are in all of them', () => {
    expect(possibleReaders([['@hr']], directory, 5)).toEqual(['@hr'])
    expect(possibleReaders([['@hr'], ['@support']], directory, 5)).toEqual(['alice'])
    expect(possibleReaders([['@hr'], ['@interns']], directory, 5)).toEqual([])
    expect(possibleReaders([[]], directory, 5)).toEqual([])
    expect(possibleReaders([['@hr'], ['@interns']], { namesOf: directory.namesOf }, 5)).toBe('unknown')
  })

  test('misses nobody: when it finds none, no reader at all may receive', () => {
    const reader = fc.constantFrom(
      'alice',
      'bob',
      'carol',
      '@hr',
      '@support',
      '@interns',
      'corp.example',
      'bob@home.example',
      'eve@corp.example',
    )
    fc.assert(
      fc.property(fc.array(fc.array(reader, { maxLength: 3 }), { minLength: 1, maxLength: 3 }), reader, (audience, candidate) => {
        if (mayReceive(audience, directory.namesOf(candidate))) expect(possibleReaders(audience, directory, 1)).toHaveLength(1)
      }),
    )
  })
})

test('names that would be ambiguous as readers are problems', () => {
  const problems = directoryProblems(configSchema.parse({ principals: { Bob: {}, bob: {}, public: {} }, groups: { HR: {}, hr: {} } }))
  expect(problems.map(({ path }) => path.join('.'))).toEqual(['principals.bob', 'principals.public', 'groups.hr'])
})

test('a principal id outside ASCII is not folded into another, and none reads as everyone', () => {
  expect(principalReader(principal('\u212aate'), anybody)).toBe('\u212aate')
  expect(principalReader(principal('Kate'), anybody)).toBe('kate')
  expect(principalReader(principal('public'), anybody)).toBeUndefined()
  expect(principalReader(principal('@hr'), anybody)).toBeUndefined()
})

describe('a person that only an identity provider names', () => {
  const directory = compileDirectory(
    configSchema.parse({ principals: { alice: { groups: ['hr'], emails: ['alice@acme.example'] }, bob: {}, 'bob.dev': {} } }).principals,
    { isOpen: true },
  )
  const names = (id: string, groups: readonly string[] = [], emails: readonly string[] = []) =>
    [...namesOfPrincipal(principal(id, groups, emails), directory)].sort()

  test('is a reader by the address that is the id, its domain, and the groups of the call', () => {
    expect(names('Dana@acme.example', ['Support'])).toEqual(['@support', 'acme.example', 'dana@acme.example'])
    // A principal is called like this domain.
    expect(names('dana@bob.dev')).toEqual(['dana@bob.dev'])
  })

  test('goes by other addresses too, without their domains, as long as nobody declared has them', () => {
    expect(names('dana@acme.example', [], ['dana@home.example', 'alice@acme.example'])).toEqual([
      'acme.example',
      'dana@acme.example',
      'dana@home.example',
    ])
  })

  test.each([
    ['the address of somebody declared', 'alice@acme.example'],
    ['the id of somebody declared in other letters', 'Alice'],
    ['a domain', 'acme.example'],
    ['a word', 'jdoe'],
    ['everyone', 'public'],
    ['a group', '@hr'],
  ])('whose id is %s is nobody else here', (_, id) => {
    expect(names(id)).toEqual([`=${id}`])
    expect(mayReceive([['alice', '@hr', 'alice@acme.example', 'acme.example', 'bob', 'public']], names(id))).toBe(false)
    expect(mayReceive([[principalReader(principal(id), directory) ?? '']], names(id))).toBe(true)
  })

  test('has groups that are written outside ASCII as they are written: they fold into no other', () => {
    expect(names('dana@acme.example', ['boo\u212aers'])).toContain('@boo\u212aers')
  })

  test('cannot be ruled out as a reader, and is never proposed by an id that no argument can name', () => {
    expect(possibleReaders([['@hr'], ['@interns']], directory, 5)).toBe('unknown')
    expect(possibleReaders([['=jdoe']], directory, 5)).toBe('unknown')
  })
})
