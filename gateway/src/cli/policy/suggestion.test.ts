import { configSchema } from '@turnward/contract/config'
import { parse } from 'yaml'
import { describe, expect, test } from 'vitest'
import type { ToolUse } from '../../audit/tool-use.ts'
import { compileSnapshot } from '../../config/compile.ts'
import type { CatalogueTool } from '../../tools/catalogue.ts'
import { readiness } from './readiness-report.ts'
import { suggest } from './suggestion.ts'
import { suggestionYaml } from './suggestion-yaml.ts'

const use = (tool: string, calls = 1, more: Partial<ToolUse> = {}): ToolUse => ({
  tool,
  calls,
  observed: 0,
  refused: 0,
  gaps: [],
  labels: [],
  ...more,
})
const snapshotOf = (more: object = {}) =>
  compileSnapshot(
    configSchema.parse({
      servers: { files: { transport: 'stdio', command: ['node', 'files.js'] } },
      contracts: { files__read: { output: { trust: 'trusted' } } },
      policy: { posture: 'observe' },
      ...more,
    }),
    { files: [], dataDir: '/nowhere' },
  )
const offline = [{ server: 'files', tools: undefined, detail: 'it is starting' }]

describe('a suggestion', () => {
  test('names the packs for tools clients run, the fewest that describe them, and what is left', () => {
    const uses = [use('Read', 9), use('Bash', 3), use('run_shell_command'), use('made_up', 2), use('files__read')]
    const { packs, unknown } = suggest(snapshotOf(), offline, uses)
    expect(packs.map(({ pack, tools }) => [pack, tools])).toEqual([
      ['claude-code', ['Read', 'Bash']],
      ['gemini-cli', ['run_shell_command']],
    ])
    expect(unknown).toEqual([{ tool: 'made_up', seen: 2 }])
    expect(suggest(snapshotOf({ packs: ['claude-code', 'gemini-cli'] }), offline, uses).packs).toEqual([])
  })

  test('takes from the log only names a server can have: a model may propose any text', () => {
    const { drafts } = suggest(snapshotOf(), offline, [use('files__write'), use('files__x"]\nrules: []'), use(`files__${'a'.repeat(80)}`)])
    expect(drafts.map(({ tool }) => tool)).toEqual(['files__write'])
  })

  test('is YAML that says what it drafted, whatever the servers call their arguments', () => {
    const schema = { type: 'object', properties: { to: { type: 'string' } }, required: ['to'] }
    const tool: CatalogueTool = {
      name: 'files__send',
      originalName: 'send',
      server: 'files',
      definition: { name: 'files__send', inputSchema: schema },
      hints: {},
      digest: '',
      validate: () => undefined,
      settled: (args) => args,
    }
    const { drafts, packs } = suggest(snapshotOf(), [{ server: 'files', tools: [tool], detail: undefined }], [use('Read')])
    const yaml = suggestionYaml({ drafts, packs }, ['codex'])
    expect(parse(yaml)).toEqual({
      packs: ['codex', 'claude-code'],
      contracts: {
        files__send: {
          output: { trust: 'untrusted', audience: ['$principal'] },
          effects: ['egress'],
          requires: { trust: 'trusted', audience: { includes: ['$args.to'] } },
        },
      },
    })
    expect(suggestionYaml({ drafts: [], packs: [] })).toBe('')
  })
})

describe('readiness', () => {
  const { policy } = snapshotOf()
  const gap = { kind: 'trust', source: 'contract x', detail: 'd', count: 1, turns: ['turn_1'] }
  const of = (uses: readonly ToolUse[], posture = policy.posture) => readiness({ ...policy, posture }, uses, () => undefined)

  test('is safe only when calls were seen and none would have been refused', () => {
    expect(of([])).toMatchObject({ safe: false, calls: 0 })
    expect(of([use('files__read', 4)])).toMatchObject({ safe: true, verdict: 'Safe: `standard` would have refused none of 4 calls.' })
    expect(of([use('files__read', 4, { observed: 1, gaps: [gap] })])).toMatchObject({
      safe: false,
      wouldRefuse: [{ tool: 'files__read', calls: 4, refused: 1, because: [gap] }],
    })
  })

  test('warns of tools nobody described even when nothing would have been refused', () => {
    const report = of([use('Read', 2)])
    expect(report).toMatchObject({ safe: true, undescribed: [{ tool: 'Read', seen: 2, server: 'client' }] })
    expect(report.verdict).toContain('1 of the tools are described by nobody')
  })
})
