import { describe, expect, test } from 'vitest'
import type { JsonObject } from '../core/json.ts'
import { decide } from './decide.ts'
import { type Evidence, noEvidence, type ValueSource } from './evidence.ts'
import { call, fresh, type ConfigInput, policyOf, problemsOf } from './written-policy.fixture.ts'
import type { Label } from './types.ts'

const top: Label = { trust: 1, audience: [] }
const bottom: Label = { trust: 0, audience: [] }
const found = (values: Readonly<Record<string, readonly ValueSource[]>>): Evidence => ({
  ...noEvidence,
  values: new Map(Object.entries(values)),
})
const written = (...texts: readonly string[]) => found(Object.fromEntries(texts.map((text) => [text, [{ kind: 'principal', label: top }]])))

type Roles = NonNullable<NonNullable<ConfigInput['contracts']>[string]['args']>

function gapsOf(
  args: Roles,
  given: JsonObject,
  evidence: Evidence = noEvidence,
  label: Label = bottom,
  more: ConfigInput = {},
): readonly string[] {
  const policy = policyOf({ contracts: { bank__pay: { args } }, ...more })
  return decide(policy, { ...fresh(policy), label }, call('bank__pay', given), evidence).gaps.map(
    ({ kind, detail }) => `${kind}: ${detail}`,
  )
}
const kindsOf = (...args: Parameters<typeof gapsOf>) => gapsOf(...args).map((gap) => gap.split(':')[0])

describe('a value of an argument with a role', () => {
  test('needs nothing while the session is trusted, and a source afterwards', () => {
    expect(gapsOf({ to: 'destination' }, { to: 'eve' }, noEvidence, top)).toEqual([])
    expect(gapsOf({ to: 'destination' }, { to: 'eve' })).toEqual([
      'provenance: argument `to` has a value that is in none of: what the person wrote, the instructions of the operator, anything of trust `trusted`, what a person has endorsed',
    ])
    expect(gapsOf({ to: 'destination' }, { to: 'bob' }, written('bob'))).toEqual([])
  })

  test.each<[ValueSource['kind'], Label, boolean]>([
    ['principal', top, true],
    ['principal', bottom, false],
    ['operator', top, true],
    ['operator', bottom, false],
    ['result', top, true],
    ['result', bottom, false],
    ['model', top, true],
    ['model', bottom, false],
    ['endorsed', bottom, true],
  ])('has a source that counts: %s under %j: %s', (kind, label, isEnough) => {
    expect(kindsOf({ to: 'destination' }, { to: 'bob' }, found({ bob: [{ kind, label }] }))).toEqual(isEnough ? [] : ['provenance'])
  })

  test('comes from where the contract says, also in a trusted session', () => {
    const own: Roles = { to: { role: 'destination', from: ['principal'] } }
    expect(kindsOf(own, { to: 'bob' }, noEvidence, top)).toEqual(['provenance'])
    expect(kindsOf(own, { to: 'bob' }, found({ bob: [{ kind: 'result', label: top }] }), top)).toEqual(['provenance'])
    expect(kindsOf(own, { to: 'bob' }, written('bob'), top)).toEqual([])
  })

  test('comes from where the contract says only after something untrusted was read', () => {
    const own: Roles = { to: { role: 'destination', after_untrusted: ['principal'] } }
    const trustedSource = found({ bob: [{ kind: 'result', label: top }] })
    expect(kindsOf(own, { to: 'bob' }, noEvidence, top)).toEqual([])
    expect(kindsOf(own, { to: 'bob' }, noEvidence)).toEqual(['provenance'])
    expect(kindsOf(own, { to: 'bob' }, trustedSource)).toEqual(['provenance'])
    expect(kindsOf(own, { to: 'bob' }, written('bob'))).toEqual([])
    const link: Roles = { body: { role: 'content', links: 'trusted', after_untrusted: ['principal'] } }
    expect(kindsOf(link, { body: 'https://a.example/' }, noEvidence, top)).toEqual([])
    expect(kindsOf(link, { body: 'https://a.example/' }, found({ 'https://a.example/': [{ kind: 'result', label: top }] }))).toEqual([
      'provenance',
    ])
  })

  test('has one rank of its own below which only these sources count', () => {
    const ranks: ConfigInput = { policy: { trust: ['untrusted', 'reviewed', 'trusted'] } }
    const own: Roles = { to: { role: 'destination', after_untrusted: ['principal'], trust: 'reviewed' } }
    const kinds = (trust: number) => kindsOf(own, { to: 'bob' }, noEvidence, { trust, audience: [] }, ranks)
    expect([kinds(2), kinds(1), kinds(0)]).toEqual([[], [], ['provenance']])
  })

  test('is every leaf of it, each by itself, and every recipient of a list in one text', () => {
    const roles: Roles = { to: 'destination', 'message.to': 'destination', 'message.body': 'content' }
    expect(kindsOf(roles, { to: ['bob', 'eve'], message: { to: [{ mail: 'bob' }], body: 'x' } }, written('bob', 'mail'))).toEqual([
      'provenance',
    ])
    expect(kindsOf(roles, { to: 'Bob <bob@corp.example>; eve@evil.example' }, written('bob@corp.example'))).toEqual(['provenance'])
    expect(kindsOf(roles, { to: 'Bob <bob@corp.example>; amy@corp.example' }, written('bob@corp.example', 'amy@corp.example'))).toEqual([])
    expect(kindsOf(roles, { to: null, message: { to: [], body: 'x' } })).toEqual([])
  })

  test('is an authority where the contract does not name it, and so is a name the caller chose', () => {
    expect(kindsOf({ note: 'content' }, { note: 'x', bcc: 'eve' })).toEqual(['provenance'])
    expect(gapsOf({ note: 'content' }, { bcc: 'eve' })[0]).toContain('an argument that the contract does not name')
    expect(kindsOf({ rights: 'authority' }, { rights: { 'eve@evil.example': 'write' } }, written('write'))).toEqual(['provenance'])
    expect(kindsOf({ '*': 'content' }, { bcc: 'eve' })).toEqual([])
    expect(kindsOf({ n: 'authority' }, { n: 7, b: true }, written('7', 'true'))).toEqual([])
  })

  test('may be one thing in several arguments, which are then asked for together', () => {
    const values: ConfigInput['values'] = { ours: { kind: 'repository', values: ['acme/shop'] } }
    const roles = (more: object): Roles => ({
      owner: { role: 'destination', with: { path: ['repo'], number: 'issue' }, ...more },
      'target.owner': { role: 'destination', with: { path: ['repo'] } },
    })
    const issue = { owner: 'acme', repo: 'shop', issue: 5 }
    expect(gapsOf(roles({}), issue, written('acme', 'shop', '5'))).toEqual([
      'provenance: argument `owner` with `repo` with `issue` has a value that is in none of: what the person wrote, the instructions of the operator, anything of trust `trusted`, what a person has endorsed',
    ])
    expect(kindsOf(roles({}), issue, written('acme/shop#5'))).toEqual([])
    expect(kindsOf(roles({}), { ...issue, target: { owner: 'evil', repo: 'x' } }, written('acme/shop#5'))).toEqual(['provenance'])
    expect(kindsOf(roles({}), { ...issue, target: { owner: 'acme', repo: 'x' } }, written('acme/shop#5', 'acme/x'))).toEqual([])
    expect(kindsOf(roles({ values: ['ours'] }), issue, noEvidence, bottom, { values })).toEqual([])
    expect(kindsOf(roles({ values: ['ours'] }), { ...issue, repo: 'x' }, noEvidence, bottom, { values })).toEqual(['provenance'])
    // Where a part of the path is missing, or is none, each is asked for by itself.
    expect(kindsOf(roles({}), { owner: 'acme', issue: 5 }, written('acme', '5'))).toEqual([])
    expect(kindsOf(roles({}), { owner: 'acme', issue: 5 }, written('acme/shop#5'))).toEqual(['provenance', 'provenance'])
    expect(kindsOf(roles({}), { ...issue, issue: 'x' }, written('acme/shop'))).toEqual(['provenance'])
  })

  test('may be on a list, or be an address of the person', () => {
    const roles: Roles = { to: { role: 'destination', values: ['payees', 'partners', 'pages'] } }
    const values: ConfigInput['values'] = {
      payees: ['CH93 0076 2011 6238 5295 7'],
      partners: { kind: 'domain', values: ['partner.example', '*.corp.example'] },
      pages: { kind: 'url', values: ['https://a.example/team'] },
    }
    const kinds = (to: string) => kindsOf(roles, { to }, noEvidence, bottom, { values })
    const listed = [
      'CH9300762011623852957',
      'bob@partner.example',
      'https://x.corp.example/y',
      'https://a.example/team/x',
      'https://a.example/team?x',
    ]
    for (const to of listed) expect([to, kinds(to)]).toEqual([to, []])
    const others = [
      'GB29NWBK60161331926819',
      'bob@partner.example.evil.org',
      'bob@evilpartner.example',
      'https://partner.example@evil.example/',
    ]
    const paths = [
      'https://a.example/teams',
      'https://a.example/team/../x',
      'https://a.example/team/%2e%2e/x',
      'https://a.example/team%2fx',
      'https://b.example/team',
    ]
    for (const to of [...others, ...paths]) expect([to, kinds(to)]).toEqual([to, ['provenance']])
    // Alice is whom the call is for.
    expect(kindsOf({ to: 'destination' }, { to: 'Alice@Corp.example' })).toEqual([])
  })

  test('is not traced where there are too many: the call is refused', () => {
    expect(kindsOf({ to: 'destination' }, { to: Array.from({ length: 2000 }, (_, at) => `v${at}`) })).toEqual(['argument'])
  })
})

describe('content', () => {
  test('comes from anywhere, unless its contract says otherwise', () => {
    expect(kindsOf({ body: 'content' }, { body: 'see https://evil.example' })).toEqual([])
    expect(kindsOf({ body: { role: 'content', trust: 'trusted' } }, { body: 'words' })).toEqual(['provenance'])
  })

  test('has links with a source where the contract says so', () => {
    const roles: Roles = { body: { role: 'content', links: 'trusted' } }
    expect(
      kindsOf(roles, { body: 'see https://a.example/x and pay@corp.example' }, written('https://a.example/x', 'pay@corp.example')),
    ).toEqual([])
    expect(gapsOf(roles, { body: 'see https://a.example/x' })[0]).toContain('argument `body` has a link')
    for (const body of ['evil.example/x', 'EVIL.example', 'eve@evil.example', 'ev\u200bil.example'])
      expect(kindsOf(roles, { body })).toEqual(['provenance'])
  })

  test('that stands word for word in a part has the audience of that part', () => {
    const policy = policyOf({
      contracts: {
        mail__send: { args: { to: 'destination', body: 'content' }, requires: { audience: { includes: ['$args.to', '$args.cc?'] } } },
      },
    })
    const state = { ...fresh(policy), label: { trust: 0, audience: [['@hr']] } }
    const decided = (evidence: Evidence) =>
      decide(policy, state, call('mail__send', { to: 'bob@corp.example', body: 'Hello!', cc: [] }), evidence).gaps.map(({ kind }) => kind)
    expect(decided(written('bob@corp.example', 'Hello!'))).toEqual([])
    expect(decided(written('bob@corp.example'))).toEqual(['audience'])
    const ofHr: ValueSource = { kind: 'result', label: { trust: 1, audience: [['@hr']] } }
    expect(decided(found({ 'bob@corp.example': [{ kind: 'principal', label: top }], 'Hello!': [ofHr] }))).toEqual(['audience'])
  })
})

test('a person is asked to write the value only where that would help, and it is never quoted', () => {
  const policy = policyOf({
    contracts: { bank__pay: { args: { to: 'destination' } }, bank__set: { args: { to: { role: 'authority', from: ['trusted'] } } } },
  })
  const state = { ...fresh(policy), label: bottom }
  const verdict = decide(policy, state, call('bank__pay', { to: 'GB29NWBK60161331926819' }), noEvidence)
  expect(verdict).toMatchObject({
    action: 'refuse',
    remedies: [{ kind: 'endorse', detail: expect.stringContaining('ask the person to write') }],
  })
  expect(JSON.stringify(verdict)).not.toContain('GB29')
  expect(decide({ ...policy, canEndorse: true }, state, call('bank__pay', { to: 'x' }), noEvidence).remedies[0]?.detail).toContain(
    'have a person endorse',
  )
  expect(decide(policy, state, call('bank__set', { to: 'x' }), noEvidence).remedies).toEqual([])
})

test('an optional argument names nobody when it is left out, and counts when it is there', () => {
  const policy = policyOf({ contracts: { mail__send: { requires: { audience: { includes: ['$args.to', '$args.cc?'] } } } } })
  const state = { ...fresh(policy), label: { trust: 1, audience: [['@hr']] } }
  const kinds = (more: JsonObject) =>
    decide(policy, state, call('mail__send', { to: 'alice', ...more }), noEvidence).gaps.map(({ kind }) => kind)
  for (const more of [{}, { cc: null }, { cc: [] }, { cc: '' }]) expect(kinds(more)).toEqual([])
  expect(kinds({ cc: 'eve@evil.example' })).toEqual(['audience'])
  expect(kinds({ cc: 7 })).toEqual(['argument'])
})

test('what is wrong in the configuration is said where it stands', () => {
  const both: Roles = { to: { role: 'destination', from: ['principal'], after_untrusted: ['principal'] } }
  expect(() => problemsOf({ contracts: { bank__pay: { args: both } } })).toThrow('not both')
  const records: Roles = { a: { role: 'authority', record: 'bil' }, b: { role: 'authority', record: 'bill', from: ['trusted'] } }
  expect(
    problemsOf({
      contracts: { bank__bills: { output: { records: { of: 'bill', id: 'id', names: ['title'] } } }, bank__pay: { args: records } },
    }),
  ).toEqual([
    'contracts.bank__pay.args.a.record: no contract has `output.records` of `bil`; did you mean `bill`?',
    "contracts.bank__pay.args.b.record: a record is named in the person's words, which do not count for this argument",
  ])
  const args: Roles = { to: { role: 'destination', trust: 'trustd', values: ['payee'] } }
  expect(
    problemsOf({ values: { payees: ['x'], p: { kind: 'iban', values: ['no'] }, o: ['a\u200bb'] }, contracts: { bank__pay: { args } } }),
  ).toEqual([
    'values.p.values.0: `no` is not one of kind `iban`',
    'values.o.0: this value has characters that nobody sees, or that read as others: write it plainly',
    'contracts.bank__pay.args.to.trust: `trustd` is not a trust rank of `policy.trust`; did you mean `trusted`?',
    'contracts.bank__pay.args.to.values.0: `values` has no list `payee`; did you mean `payees`?',
  ])
})
