import { describe, expect, test } from 'vitest'
import { policyOf } from '../../policy/written-policy.fixture.ts'
import { readTools } from '../../tools/tool-definitions.ts'
import { ToolNames, type NamedThings } from './tool-names.ts'

const listing = (server: string, ...names: string[]) =>
  readTools(
    server,
    names.map((name) => ({ name, inputSchema: { type: 'object' } })),
  ).tools
const known = [
  ...listing('notes', 'write_file', 'read_text_file', 'move_a_file_to_another_place'),
  ...listing('office', 'send', 'personnel'),
  ...listing('other-office', 'send'),
]

const servers = new Set(['notes', 'office', 'other-office', 'down'])

function names(contracts: Record<string, object> = {}, listed = known, gateways: NamedThings['gateways'] = new Map()): ToolNames {
  const isSearched = [...gateways.values()].some(({ listing }) => listing === 'search')
  const policy = policyOf({ contracts, ...(isSearched ? { gateways: { main: { servers: ['office'], listing: 'search' } } } : {}) })
  return new ToolNames({ policy, servers, gateways }, listed)
}

const meant = (name: string, of = names(), inner?: string) => of.meaning(name, inner).map((subject) => `${subject.server} ${subject.name}`)

describe('the name of a tool of ours', () => {
  test.each([
    'mcp__turnward__notes__write_file',
    'turnward_notes__write_file',
    'turnward__notes__write_file',
    'mcp_turnward_notes__write_file',
    'foo.bar:notes__write_file',
    'a/notes__write_file',
    'x-notes__write_file',
    'notes__write_file',
  ])('is found behind whatever a client puts before it: %s', (name) => {
    expect(meant(name)).toEqual(['notes notes__write_file'])
  })

  test('is found by its original name behind a separator too, when no exposed name is there', () => {
    expect(meant('my-client:write_file')).toEqual(['notes notes__write_file'])
    expect(meant('label_personnel')).toEqual(['office office__personnel'])
  })

  test('means every tool it may mean', () => {
    expect(meant('label__send')).toEqual(['office office__send', 'other-office other-office__send'])
  })

  test('that was cut in the middle by a client is found by its end', () => {
    expect(meant('mcp_turnward_notes__mo___file_to_another_place')).toContain('notes notes__move_a_file_to_another_place')
  })

  test('is taken as the rule of the client reads it before anything is guessed', () => {
    expect(meant('opaque', names(), 'notes__write_file')).toEqual(['notes notes__write_file'])
    expect(meant('opaque')).toEqual(['client opaque'])
  })

  test('is that of its server although nobody has listed it: a name never depends on what runs', () => {
    for (const listed of [known, []]) {
      expect(meant('notes__new_tool', names({}, listed))).toEqual(['notes notes__new_tool'])
      expect(meant('mcp__tw__down__anything', names({}, listed))).toEqual(['down down__anything'])
    }
  })

  test('with the prefix of one server never means a tool of another, whatever that one calls its tools', () => {
    const odd = names({}, [...listing('notes', 'down__echo')])
    expect(meant('down__echo', odd)).toEqual(['down down__echo'])
  })
})

describe('the name of a tool the client runs', () => {
  test('is its own when it ends like none of ours', () => {
    expect(meant('Bash')).toEqual(['client Bash'])
    expect(meant('todo_list')).toEqual(['client todo_list'])
  })

  test('is taken for ours when it ends like one: that may cost a refusal, never a way around', () => {
    expect(meant('acme_send')).toEqual(['office office__send', 'other-office other-office__send'])
  })

  test('is its own when an administrator has described it by its very name', () => {
    expect(meant('acme_send', names({ acme_send: { output: { trust: 'trusted' } } }))).toEqual(['client acme_send'])
    expect(meant('write_file', names({ write_file: { output: { trust: 'trusted' } } }))).toEqual(['client write_file'])
  })

  test('counts besides ours when a pattern describes it', () => {
    expect(meant('acme_send', names({ 'acme_*': { output: { trust: 'trusted' } } }))).toEqual([
      'office office__send',
      'other-office other-office__send',
      'client acme_send',
    ])
  })

  test('described by its name, does not hide one of ours behind a prefix', () => {
    expect(meant('tw_notes__write_file', names({ tw_notes__write_file: { output: { trust: 'trusted' } } }))).toEqual([
      'notes notes__write_file',
    ])
  })
})

test('names that clients make up take no more than bounded memory and time', () => {
  const of = names()
  for (let index = 0; index < 10_000; index += 1) of.meaning(`name_${index}`)
  expect(meant(`${'a_'.repeat(50_000)}notes__write_file`, of)).toEqual(['notes notes__write_file'])
})

describe('where a gateway shows tools under other names', () => {
  const shown = (
    gateway: Partial<{ servers: string[]; names: 'prefixed' | 'original'; aliases: ReadonlyMap<string, string> }>,
    contracts = {},
  ) => names(contracts, known, new Map([['main', { servers: ['office'], names: 'prefixed', aliases: new Map(), ...gateway }]]))

  test('an alias means its tool, behind whatever a client puts before it', () => {
    const aliased = shown({ aliases: new Map([['mail_colleague', 'office__send']]) })
    expect(meant('mail_colleague', aliased)).toEqual(['office office__send'])
    expect(meant('mcp__main__mail_colleague', aliased)).toEqual(['office office__send'])
  })

  test('a label that looks like another server hides no tool that is shown as its server calls it', () => {
    expect(meant('mcp__down__personnel', shown({ names: 'original' }))).toEqual(['down down__personnel', 'office office__personnel'])
    expect(meant('mcp__down__personnel')).toEqual(['down down__personnel'])
  })

  test("a name that is described as the client's own means the tool of ours as well", () => {
    const described = { personnel: { effects: ['mutation'] } }
    expect(meant('personnel', shown({ names: 'original' }, described))).toEqual(['client personnel', 'office office__personnel'])
    expect(meant('personnel', names(described))).toEqual(['client personnel'])
  })

  test('only tools of servers that are shown so have names without a prefix', () => {
    expect(meant('mcp__down__send', shown({ names: 'original' }))).toEqual(['down down__send', 'office office__send'])
  })
})

describe("the gateway's own tools", () => {
  const searching = names({}, known, new Map([['main', { servers: ['office'], names: 'prefixed', aliases: new Map(), listing: 'search' }]]))

  test('mean themselves behind whatever a client puts before them, where a gateway shows them', () => {
    for (const name of ['turnward__run_tool', 'mcp__tw__turnward__run_tool', 'tw_turnward__run_tool'])
      expect(meant(name, searching)).toEqual(['turnward turnward__run_tool'])
    expect(meant('turnward__run_tool')).toEqual(['client turnward__run_tool'])
  })

  test('are not what a server calls its own tool', () => {
    const odd = [...listing('notes', 'turnward__run_tool')]
    const gateways = new Map([['main', { servers: ['notes'], names: 'prefixed' as const, aliases: new Map(), listing: 'search' as const }]])
    expect(meant('mcp__tw__notes__turnward__run_tool', names({}, odd, gateways))).toEqual(['notes notes__turnward__run_tool'])
    // Also while nobody has listed it.
    expect(meant('mcp__tw__down__turnward__run_tool', names({}, odd, gateways))).toEqual([
      'down down__turnward__run_tool',
      'turnward turnward__run_tool',
    ])
  })

  test('hide no tool whose client calls this gateway so', () => {
    expect(meant('mcp__turnward__office__send', searching)).toEqual(['office office__send'])
    expect(meant('mcp__turnward__run_tool', searching)).not.toEqual(['client mcp__turnward__run_tool'])
  })
})
