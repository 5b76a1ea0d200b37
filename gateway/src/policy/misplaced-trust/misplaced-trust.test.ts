import { describe, expect, test } from 'vitest'
import type { JsonObject } from '../../core/json.ts'
import { type ConfigInput, policyOf } from '../written-policy.fixture.ts'
import { type KnownTool, misplacedTrust } from './misplaced-trust.ts'

const text = { type: 'string' }
const tool = (originalName: string, properties: JsonObject = {}, more: Partial<KnownTool> = {}): KnownTool => ({
  name: `s__${originalName}`,
  originalName,
  server: 's',
  definition: { inputSchema: { type: 'object', properties } },
  packs: [],
  ...more,
})
type Contracts = NonNullable<ConfigInput['contracts']>
const trusted = { output: { trust: 'trusted' } }
const found = (contracts: Contracts, tools: readonly KnownTool[], more: ConfigInput = {}) =>
  misplacedTrust(policyOf({ contracts, ...more }), tools).map(({ tool: name, evidence }) => [name, evidence.map(({ kind }) => kind)])

describe('trust given to what strangers can write', () => {
  test.each([
    'list_channels',
    'get_issue_comments',
    'read_inbox',
    'search_mails',
    'fetch_page',
    'getNotifications',
    'list_replies',
    'inbox',
    'download_attachment',
  ])('is found in the name %s', (name) => {
    expect(found({ 's__*': trusted }, [tool(name)])).toEqual([[`s__${name}`, ['name']]])
  })

  test.each(['get_balance', 'list_tables', 'describe_table', 'get_weather', 'list_directory', 'create_issue', 'send_mail', 'update_page'])(
    'is not found in the name %s',
    (name) => {
      expect(found({ 's__*': trusted }, [tool(name)])).toEqual([])
    },
  )

  test('is found where a contract says nothing of trust, and where a name is all that is known', () => {
    expect(
      misplacedTrust(policyOf({ contracts: { s__list_channels: {} } }), [tool('list_channels', {}, { definition: undefined })]),
    ).toEqual([
      {
        tool: 's__list_channels',
        contract: 's__list_channels',
        trust: null,
        evidence: [{ kind: 'name', detail: 'its name says that it reads what others write: `channel`' }],
      },
    ])
  })

  test('is found where an argument can reach out', () => {
    expect(found({ 's__*': trusted }, [tool('get_report', { url: text }), tool('get_total', { id: text })])).toEqual([
      ['s__get_report', ['arguments']],
    ])
  })

  test('is found where a pack for its server says otherwise, with the reason of the pack', () => {
    const [warning] = misplacedTrust(policyOf({ contracts: { 's__*': trusted } }), [tool('slack_get_users', {}, { packs: ['slack'] })])
    expect(warning).toMatchObject({ tool: 's__slack_get_users', contract: 's__*', trust: 'trusted' })
    expect(warning?.evidence[0]).toMatchObject({
      kind: 'pack',
      detail: expect.stringMatching(/^the pack slack@\d calls it untrusted: .*free text/),
    })
    const agents = tool('WebFetch', {}, { name: 'WebFetch', server: undefined, packs: ['claude-code'] })
    expect(found({ WebFetch: trusted }, [agents])).toEqual([['WebFetch', ['pack', 'name']]])
  })

  test.each<[string, Contracts, ConfigInput]>([
    ['is untrusted', { 's__*': { output: { trust: 'untrusted' } } }, {}],
    ['has a rank below the highest', { 's__*': { output: { trust: 'known' } } }, { policy: { trust: ['wild', 'known', 'checked'] } }],
    ['says why', { 's__*': { output: { trust: 'trusted', because: 'Only our administrators can name channels.' } } }, {}],
    ['is read by no model', { 's__*': { output: { trust: 'trusted', as: 'quarantine' } } }, {}],
    ['is described by nobody', {}, {}],
  ])('is none where the result %s', (_what, contracts, more) => {
    expect(found(contracts, [tool('list_channels')], more)).toEqual([])
  })

  test('is none where a pack is in force, nor where the server itself says that it is open to the world', () => {
    const policy = policyOf({ packs: [{ filesystem: 's' }], contracts: { s__list_channels: trusted } })
    expect(misplacedTrust(policy, [tool('read_file', { url: text }, { packs: ['filesystem'] })])).toEqual([])
    expect(misplacedTrust(policy, [tool('list_channels', {}, { hints: { openWorldHint: true } })])).toEqual([])
  })
})

describe('a tool of the same server that writes there', () => {
  const reader = tool('list_projects')
  const writer = tool('create_project', { project_name: text, kind: { type: 'string', enum: ['a'] } })
  const writes = (contract: Contracts[string], other: KnownTool = writer, ofReader: Contracts[string] = trusted) =>
    misplacedTrust(policyOf({ contracts: { s__list_projects: ofReader, [other.name]: contract } }), [reader, other]).flatMap(
      ({ evidence }) => evidence,
    )

  test('is named, when untrusted words may reach it, with the word for the argument and nothing of the server’s own', () => {
    expect(writes({ output: { trust: 'untrusted' }, effects: ['mutation'] })).toEqual([
      { kind: 'writer', detail: '`s__create_project` writes `name` into what it reads, and may be called after untrusted reads' },
    ])
    const free: Contracts[string] = {
      output: { trust: 'untrusted' },
      args: { project_name: { role: 'content', links: 'trusted' }, kind: 'content' },
    }
    expect(writes(free)).toHaveLength(1)
  })

  test.each<[string, Contracts[string], KnownTool?, Contracts[string]?]>([
    ['needs a trusted session', { requires: { trust: 'trusted' } }],
    ['takes words with a trusted source only', { args: { project_name: { role: 'content', trust: 'trusted' } } }],
    ['is remembered with its label', { remembers: 'all' }],
    ['writes where its label is known', {}, writer, { ...trusted, remembers: 'all' }],
    ['writes something else', {}, tool('create_user', { name: text })],
    ['writes nothing of its own', {}, tool('delete_project', { id: text })],
    ['only reads', {}, tool('get_project', { name: text })],
    ['is of another server', {}, { ...writer, name: 't__create_project', server: 't' }],
  ])('is none when it %s', (_what, contract, other, ofReader) => {
    expect(writes({ output: { trust: 'untrusted' }, ...contract }, other, ofReader)).toEqual([])
  })

  test('is not known by a word that all tools of the server have', () => {
    const tools = [tool('acme_list_projects'), tool('acme_get_total'), tool('acme_add_user', { name: text })]
    expect(found({ 's__*': { ...trusted, effects: [] } }, tools)).toEqual([])
    expect(found({ 's__*': trusted }, [...tools, tool('acme_add_project', { title: text })])).toEqual([
      ['s__acme_list_projects', ['writer']],
    ])
  })
})
