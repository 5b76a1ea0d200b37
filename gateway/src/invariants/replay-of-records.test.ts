/**
 * A replay of recorded decisions under the policy that made them changes nothing, whatever they lacked; and a draft changes
 * exactly what it says otherwise. Records come from the real floors.
 */
import type { DecisionRecord } from '@turnward/contract/decision'
import fc from 'fast-check'
import { say } from '../../../conformance/harness/model-answer.ts'
import { startVendor } from '../../../conformance/harness/vendor.ts'
import { afterAll, beforeAll, describe, expect, test } from 'vitest'
import type { Snapshot } from '../config/snapshot.ts'
import type { JsonObject } from '../core/json.ts'
import { serverOfName } from '../core/tool-names.ts'
import { Replayer } from '../policy/replay/replay.ts'
import { clientRun, type GapKind } from '../policy/types.ts'
import { storeBackends, type TestStores } from '../store/backends.fixture.ts'
import type { Store } from '../store/store.ts'
import { configOf, type ConfigInput, keys, openFloors, snapshotOf, type TestTool } from './floors.fixture.ts'

const schema = { type: 'object', properties: { n: { type: 'integer' } } }
const tools: Readonly<Record<string, TestTool>> = {
  office__web: {},
  office__personnel: { hints: { openWorldHint: false } },
  office__open: { hints: { openWorldHint: true } },
  office__backup: {},
  office__failing: { run: () => ({ content: [], isError: true }) },
  office__migrate: { hints: { destructiveHint: true } },
  office__send: {},
  office__pay: {},
  office__shell: {},
  office__large: {},
  office__mystery: {},
  office__strict: { inputSchema: schema },
  office__secret: {},
}

const config = (posture: 'strict' | 'standard' | 'observe', tickets: 'match' | 'required' = 'match'): ConfigInput =>
  configOf({
    policy: { posture, trust: ['untrusted', 'partner', 'trusted'] },
    grants: [
      { principals: ['*'], models: ['*'], gateways: ['*'], tools: ['*'] },
      { principals: ['bob'], forbid: { tools: ['office__secret'] } },
    ],
    turns: { tickets },
    values: { payees: ['acct-1'] },
    approvals: { from: ['bob'], hold_ms: 0 },
    contracts: {
      office__web: { output: { trust: 'untrusted' } },
      office__personnel: { output: { trust: 'partner', audience: ['@staff', '$principal'] } },
      office__open: { output: { trust: 'trusted' } },
      office__backup: { output: { trust: 'trusted' }, effects: ['backup'] },
      office__failing: { output: { trust: 'trusted' }, effects: ['backup'] },
      office__migrate: {
        output: { trust: 'trusted' },
        effects: ['migration'],
        requires: { done: ['backup'], not_done: ['migration', 'mutation'] },
      },
      office__send: {
        output: { trust: 'trusted' },
        effects: ['egress'],
        requires: { trust: 'partner', audience: { includes: ['$args.to', '$args.cc?'] } },
      },
      office__pay: {
        output: { trust: 'trusted' },
        args: { to: { role: 'destination', values: ['payees'] }, body: 'content', n: 'content' },
      },
      office__shell: { requires: { trust: 'trusted', unless: { '$args.to': ['empty_text'] } } },
      office__large: { output: { trust: 'trusted' }, requires: { trust: 'trusted', approval: { instead_of: ['trust'] } } },
      office__strict: { output: { trust: 'trusted' } },
      office__secret: { output: { trust: 'trusted' } },
    },
    rules: [
      { name: 'long', when: "tool.name == 'office__send' && size(args.body) > 3", verdict: 'deny', reason: 'Too long.' },
      { name: 'watched', when: "'egress' in tool.effects", verdict: 'warn', reason: 'Watched.' },
      {
        name: 'after-web',
        when: "session.trust_rank == 0 && tool.name == 'office__backup' && args.n > 1",
        verdict: 'deny',
        reason: 'Not now.',
      },
      { name: 'second', when: "tool.name == 'office__large' && args.n > 2", verdict: 'escalate', reason: 'Look first.' },
      {
        name: 'hinted',
        when: "'destructiveHint' in tool.hints && tool.hints.destructiveHint && session.trust_rank == 1",
        verdict: 'deny',
        reason: 'No.',
      },
    ],
  })

/** What the log and the configuration have, and nothing else. `listed`: hints of servers are known. */
function replayer(now: Snapshot, draft: Snapshot, listed = true): Replayer {
  return new Replayer(
    { now, draft, revision: now.revision },
    {
      begunBefore: new Set(),
      toolOf({ subject: name }) {
        const server = serverOfName(name) ?? clientRun
        return { tool: { name, server, ...(listed ? { hints: tools[name]?.hints ?? {} } : {}) }, isListed: listed || server === clientRun }
      },
    },
  )
}

let stores: TestStores | undefined
let store: Store
beforeAll(async () => {
  stores = await storeBackends[0]?.make()
  if (stores === undefined) throw new Error('there is no store')
  store = await stores.open()
})
afterAll(async () => stores?.[Symbol.asyncDispose]())

/** Floors that can ask people. */
const open = (parts: ConfigInput) => openFloors({ config: parts, tools, approvals: store.approvals })

/** A record as the log keeps it: text. */
const kept = (record: DecisionRecord): DecisionRecord => JSON.parse(JSON.stringify(record)) as DecisionRecord

const event = fc.record({
  key: fc.constantFrom('alice', 'alice', 'bob'),
  name: fc.constantFrom(...Object.keys(tools)),
  args: fc.record(
    {
      to: fc.constantFrom<unknown>('alice@corp.example', 'eve@evil.example', ['bob@corp.example', '@staff'], 7, 'acct-1', ''),
      body: fc.string({ maxLength: 6 }),
      n: fc.constantFrom<unknown>(0, 1, 2, 3, 'x'),
    },
    { requiredKeys: [] },
  ) as fc.Arbitrary<JsonObject>,
})

describe('under the policy that made them', () => {
  test('nothing changes, whatever the calls lacked', { timeout: 120_000 }, async () => {
    const met = new Set<GapKind>()
    await fc.assert(
      fc.asyncProperty(
        fc.constantFrom('strict' as const, 'standard' as const, 'standard' as const, 'observe' as const),
        fc.constantFrom('match' as const, 'match' as const, 'match' as const, 'required' as const),
        fc.boolean(),
        fc.array(event, { minLength: 1, maxLength: 14 }),
        async (posture, tickets, listed, events) => {
          await using floors = await open(config(posture, tickets))
          const contexts = { alice: await floors.context(keys.alice, 'one'), bob: await floors.context(keys.bob, 'two') }
          for (const { key, name, args } of events) await floors.call(contexts[key], name, args).catch(() => {})
          const { records } = floors.log
          for (const { gaps = [] } of records) for (const { kind } of gaps) met.add(kind)
          const { snapshot } = contexts.alice
          const again = replayer(snapshot, snapshotOf(config(posture, tickets)), listed)
          for (const record of records) again.add(kept(record))
          const report = again.report()
          expect(report).toMatchObject({ changed: 0, otherReasons: 0, notKnown: 0, otherRevisions: 0, same: report.decisions })
          expect(report.decisions).toBeGreaterThan(0)
        },
      ),
      {
        numRuns: 300,
        examples: [
          [
            'standard',
            'match',
            true,
            ['backup', 'migrate', 'migrate'].map((name) => ({ key: 'alice', name: `office__${name}`, args: {} })),
          ],
        ],
      },
    )
    // A kind that never comes up proves nothing.
    const all: readonly GapKind[] = [
      'grant',
      'undescribed',
      'trust',
      'audience',
      'done',
      'not_done',
      'rule',
      'argument',
      'ticket',
      'approval',
      'provenance',
    ]
    expect([...met].toSorted()).toEqual(all.toSorted())
  })
})

type Contracts = NonNullable<ConfigInput['contracts']>

/** What a draft says otherwise, each by itself. */
const edits: Readonly<Record<string, (draft: ConfigInput) => ConfigInput>> = {
  'a page is trusted': (draft) => withContract(draft, 'office__web', { output: { trust: 'trusted' } }),
  'a page is for the principal only': (draft) =>
    withContract(draft, 'office__web', { output: { trust: 'untrusted', audience: ['$principal'] } }),
  'files of people are public': (draft) => withContract(draft, 'office__personnel', { output: { trust: 'trusted' } }),
  'nobody describes what is open to the world': (draft) => without(draft, 'office__open'),
  'somebody describes the mystery': (draft) => withContract(draft, 'office__mystery', { output: { trust: 'trusted' } }),
  'the shell has no exceptions': (draft) => withContract(draft, 'office__shell', { requires: { trust: 'trusted' } }),
  'the shell has none and is free': (draft) => withContract(draft, 'office__shell', { output: { trust: 'trusted' } }),
  'the large one needs nobody': (draft) =>
    withContract(draft, 'office__large', { output: { trust: 'trusted' }, requires: { trust: 'trusted' } }),
  'what is sent is for staff': (draft) => withContract(draft, 'office__send', { requires: { audience: { includes: ['@staff'] } } }),
  'payments come from the person': (draft) =>
    withContract(draft, 'office__pay', { args: { to: { role: 'destination', from: ['principal'] } } }),
  'a migration needs nothing': (draft) => withContract(draft, 'office__migrate', { output: { trust: 'trusted' }, effects: ['migration'] }),
  'the strict one needs a backup': (draft) =>
    withContract(draft, 'office__strict', { output: { trust: 'trusted' }, requires: { done: ['backup'] } }),
  'the strict one is used once': (draft) => withContract(draft, 'office__strict', { effects: ['used'], requires: { not_done: ['used'] } }),
  'a backup is none': (draft) => withContract(draft, 'office__backup', { output: { trust: 'trusted' } }),
  'nobody watches': (draft) => ({ ...draft, rules: (draft.rules ?? []).filter(({ name }) => name !== 'watched') }),
  'a rule about trust': (draft) => withRule(draft, "session.trust == 'untrusted' && tool.name == 'office__strict'"),
  'a rule about arguments': (draft) => withRule(draft, "tool.name == 'office__strict' && has(args.n)"),
  'a rule about what an argument is': (draft) => withRule(draft, "tool.name == 'office__strict' && args.n == 1"),
  'a rule about groups': (draft) => withRule(draft, "'staff' in principal.groups && tool.name == 'office__personnel'"),
  'a rule about hints': (draft) => withRule(draft, "size(tool.hints) > 0 && tool.name == 'office__personnel'"),
  'a line that forbids': (draft) => ({
    ...draft,
    grants: [...(draft.grants ?? []), { principals: ['*'], forbid: { tools: ['office__open'] } }],
  }),
  'a secret for everybody': (draft) => ({ ...draft, grants: (draft.grants ?? []).slice(0, 1) }),
  'another group': (draft) => ({
    ...draft,
    groups: { ...draft.groups, more: {} },
    principals: { ...draft.principals, bob: { groups: ['staff'], emails: ['bob@corp.example'] } },
  }),
  'other payees': (draft) => ({ ...draft, values: { payees: ['acct-2'] } }),
  strict: (draft) => ({ ...draft, policy: { ...draft.policy, posture: 'strict' } }),
  standard: (draft) => ({ ...draft, policy: { ...draft.policy, posture: 'standard' } }),
  observe: (draft) => ({ ...draft, policy: { ...draft.policy, posture: 'observe' } }),
}

function withContract(draft: ConfigInput, name: string, contract: Contracts[string]): ConfigInput {
  return { ...draft, contracts: { ...draft.contracts, [name]: contract } }
}

function without(draft: ConfigInput, name: string): ConfigInput {
  return { ...draft, contracts: Object.fromEntries(Object.entries(draft.contracts ?? {}).filter(([one]) => one !== name)) }
}

function withRule(draft: ConfigInput, when: string): ConfigInput {
  return {
    ...draft,
    rules: [...(draft.rules ?? []), { name: `drafted-${draft.rules?.length ?? 0}`, when, verdict: 'deny', reason: 'Drafted.' }],
  }
}

describe('under a draft', () => {
  test(
    'what the replay says is what a gateway does that runs on the draft, and of the rest it says that it does not know',
    { timeout: 180_000 },
    async () => {
      const counts = { known: 0, changed: 0, notKnown: 0 }
      const changedBy = new Set<string>()
      await fc.assert(
        fc.asyncProperty(
          fc.constantFrom('strict' as const, 'standard' as const, 'standard' as const, 'observe' as const),
          fc.uniqueArray(fc.constantFrom(...Object.keys(edits)), { minLength: 1, maxLength: 2 }),
          fc.boolean(),
          fc.array(event, { minLength: 1, maxLength: 14 }),
          async (posture, edited, listed, events) => {
            const draft = edited.reduce((one, edit) => edits[edit]?.(one) ?? one, config(posture))
            await using now = await open(config(posture))
            await using drafted = await open(draft)
            const decided: Record<'now' | 'drafted', DecisionRecord[]> = { now: [], drafted: [] }
            for (const [name, floors] of Object.entries({ now, drafted }) as ['now' | 'drafted', typeof now][]) {
              const contexts = { alice: await floors.context(keys.alice, 'one'), bob: await floors.context(keys.bob, 'two') }
              for (const { key, name: tool, args } of events) await floors.call(contexts[key], tool, args).catch(() => {})
              decided[name] = floors.log.decisions('tool_call')
            }
            expect(decided.now).toHaveLength(events.length)
            const again = replayer(now.services.snapshot(), drafted.services.snapshot(), listed)
            // Once something else has happened, what comes after it is another story.
            const apart = new Set<string>()
            let at = 0
            for (const record of now.log.records) {
              const verdict = again.add(kept(record))
              if (record.type !== 'decision' || record.kind !== 'tool_call') continue
              const live = decided.drafted[at]
              at += 1
              if (live === undefined) throw new Error('a call was not decided')
              if (!apart.has(record.principal)) {
                if (verdict?.form === 'decided') {
                  counts.known += 1
                  expect([record.subject, verdict.action]).toEqual([record.subject, live.action])
                  if (verdict.action !== record.action) {
                    counts.changed += 1
                    for (const edit of edited) changedBy.add(edit)
                  }
                } else counts.notKnown += 1
              }
              if (live.action !== record.action) apart.add(record.principal)
            }
          },
        ),
        { numRuns: 150 },
      )
      // It must say something, too.
      expect(counts.changed).toBeGreaterThan(10)
      expect(counts.notKnown).toBeGreaterThan(5)
      expect(counts.notKnown).toBeLessThan(counts.known / 3)
      expect(changedBy.size).toBeGreaterThan(5)
    },
  )
})

describe('tools that a client runs', () => {
  const schemaOf = (name: string): JsonObject => ({ type: 'function', function: { name, parameters: { type: 'object', properties: {} } } })
  const made = (id: string, name: string): JsonObject => ({
    role: 'assistant',
    content: null,
    tool_calls: [{ id, type: 'function', function: { name, arguments: '{}' } }],
  })
  const returned = (id: string): JsonObject => ({ role: 'tool', tool_call_id: id, content: `Words of ${id}.` })
  const contracts = (look: string, more: Contracts = {}): Contracts => ({
    look: { output: { trust: look } },
    save: { output: { trust: 'trusted' } },
    post: { output: { trust: 'trusted' }, requires: { trust: 'trusted' } },
    ...more,
  })

  test('what they returned has the label that the draft gives it, also where nothing narrowed at the time', async () => {
    const proposals = ['look', 'save', 'post']
    await using vendor = await startVendor((request) => {
      const name = proposals.shift() ?? 'post'
      return say(request, { calls: [{ id: `c_${name}`, name, args: {} }] })
    })
    const configWith = (parts: Contracts) =>
      configOf({
        upstreams: { vendor: { kind: 'openai', base_url: vendor.url, credential: 'none' } },
        routes: [{ model: 'm', upstreams: ['vendor'] }],
        contracts: parts,
      })
    const play = async (look: string): Promise<{ readonly records: readonly DecisionRecord[]; readonly now: Snapshot }> => {
      proposals.splice(0, 3, 'look', 'save', 'post')
      await using floors = await openFloors({ config: configWith(contracts(look)) })
      const messages: JsonObject[] = [{ role: 'user', content: 'Look, save and post.' }]
      for (const name of ['look', 'save', 'post']) {
        const body = { model: 'm', messages, tools: ['look', 'save', 'post'].map(schemaOf) }
        const headers = { authorization: `Bearer ${keys.alice}`, 'content-type': 'application/json' }
        await fetch(`${floors.url}/v1/chat/completions`, { method: 'POST', headers, body: JSON.stringify(body) }).then((one) => one.text())
        messages.push(made(`c_${name}`, name), returned(`c_${name}`))
      }
      return { records: floors.log.records, now: floors.services.snapshot() }
    }
    const again = ({ records, now }: Awaited<ReturnType<typeof play>>, parts: Contracts) => {
      const one = replayer(now, snapshotOf(configWith(parts)))
      const said = records.flatMap((record) => {
        const verdict = one.add(kept(record))
        return verdict === undefined ? [] : [verdict.form === 'decided' ? verdict.action : verdict.form]
      })
      return { said, report: one.report() }
    }
    const trusted = await play('trusted')
    expect(again(trusted, contracts('trusted')).said).toEqual(['release', 'release', 'release'])
    const { said, report } = again(trusted, contracts('untrusted'))
    expect(said).toEqual(['release', 'release', 'refuse'])
    expect(report.changes).toMatchObject([
      { tool: 'post', principal: 'alice', was: 'release', becomes: 'refuse', decidedBy: ['contract post (trust)'], count: 1 },
    ])

    const untrusted = await play('untrusted')
    const once = (actions: readonly string[]): readonly string[] => [...new Set(actions)]
    expect(once(again(untrusted, contracts('untrusted')).said)).toEqual(['release', 'refuse'])
    expect(again(untrusted, contracts('untrusted')).report).toMatchObject({ changed: 0, notKnown: 0, otherReasons: 0 })
    expect(once(again(untrusted, contracts('trusted')).said)).toEqual(['release'])
    // Nobody reads what is refused.
    const refusing = contracts('untrusted', { look: { output: { trust: 'untrusted' }, requires: { done: ['never'] } } })
    expect(again(untrusted, refusing).said.at(0)).toBe('refuse')
    expect(again(untrusted, refusing).said.at(-1)).toBe('release')
    // What somebody wrote into arguments is not in the log.
    const traced = contracts('untrusted', { post: { output: { trust: 'trusted' }, args: { to: 'destination' } } })
    const { report: open } = again(untrusted, traced)
    expect(open.notKnown).toBeGreaterThan(0)
    expect(open.unknown[0]).toMatchObject({
      tool: 'post',
      was: 'refuse',
      asks: [{ source: 'contract post', needs: expect.stringContaining('arguments') }],
    })
  })
})
