import { agentPackNames, serverPackNames, type AgentPackName, type PackName } from '@turnward/contract/config/packs'
import { describe, expect, test } from 'vitest'
import { admit } from '../admit.ts'
import { decide } from '../decide.ts'
import { noEvidence } from '../evidence.ts'
import { reachable } from '../reachable.ts'
import { alice, call, fresh, policyOf, tool, type ConfigInput } from '../written-policy.fixture.ts'
import type { Policy, PolicyState, ToolSubject } from '../types.ts'
import { exposedName } from '../../core/exposed-names.ts'
import { isObject, type JsonObject } from '../../core/json.ts'
import { packId, packs } from './packs.ts'
import type { ContractPack } from './pack.ts'
import { packForServer } from './recognising-servers.ts'

const ofClient = (name: string): ToolSubject => ({ name, server: 'client' })
const described = {
  tracker__get_issue: { output: { trust: 'trusted' } },
  mail__send: { effects: ['egress'], requires: { trust: 'trusted' } },
}
const policyWith = (name: PackName, more: ConfigInput = {}) =>
  policyOf({ packs: [name], contracts: described, policy: { posture: 'standard' }, ...more })

/** The tools of a day: look around, edit, run the tests, plan, delegate, use a skill and an MCP server. */
const days: Readonly<
  Record<AgentPackName, { readonly work: readonly string[]; readonly web: string; readonly shell: string; readonly edit: string }>
> = {
  'claude-code': {
    work: [
      'ToolSearch',
      'Read',
      'Glob',
      'Grep',
      'Edit',
      'Write',
      'Bash',
      'BashOutput',
      'KillShell',
      'TodoWrite',
      'TaskCreate',
      'Agent',
      'Skill',
      'AskUserQuestion',
      'NotebookEdit',
      'ExitPlanMode',
    ],
    web: 'WebFetch',
    shell: 'Bash',
    edit: 'Edit',
  },
  codex: {
    work: [
      'exec_command',
      'write_stdin',
      'apply_patch',
      'update_plan',
      'view_image',
      'tool_search',
      'spawn_agent',
      'wait_agent',
      'request_user_input',
    ],
    web: 'web_search',
    shell: 'shell_command',
    edit: 'apply_patch',
  },
  'gemini-cli': {
    work: [
      'list_directory',
      'read_file',
      'glob',
      'grep_search',
      'replace',
      'write_file',
      'run_shell_command',
      'write_todos',
      'activate_skill',
      'ask_user',
    ],
    web: 'web_fetch',
    shell: 'run_shell_command',
    edit: 'replace',
  },
  opencode: {
    work: ['read', 'glob', 'grep', 'list', 'edit', 'write', 'bash', 'todowrite', 'task', 'skill', 'question'],
    web: 'webfetch',
    shell: 'bash',
    edit: 'edit',
  },
  'qwen-code': {
    work: [
      'read_file',
      'glob',
      'grep_search',
      'edit',
      'run_shell_command',
      'todo_write',
      'agent',
      'skill',
      'tool_search',
      'ask_user_question',
    ],
    web: 'web_fetch',
    shell: 'run_shell_command',
    edit: 'edit',
  },
  cline: {
    work: [
      'read_files',
      'search_codebase',
      'editor',
      'run_commands',
      'skills',
      'spawn_agent',
      'read_file',
      'replace_in_file',
      'execute_command',
      'ask_followup_question',
      'attempt_completion',
    ],
    web: 'fetch_web_content',
    shell: 'run_commands',
    edit: 'editor',
  },
}

/** Every argument the pack names, with a value nobody knows; any other where it names none. */
function strangersArguments(pack: ContractPack, original: string): JsonObject {
  const names = Object.keys(pack.contracts[original]?.args ?? {})
  return names.reduce<JsonObject>((args, name) => withValue(args, name.split('.')), { other: 'of a stranger' })
}

function withValue(args: JsonObject, [name = '', ...rest]: readonly string[]): JsonObject {
  const before = args[name]
  return { ...args, [name]: rest.length === 0 ? 'of a stranger' : withValue(isObject(before) ? before : {}, rest) }
}

/** Decides and reads one tool after the other, as one session. */
function through(policy: Policy, names: readonly string[]): { readonly refused: readonly string[]; readonly state: PolicyState } {
  let state = fresh(policy)
  const refused: string[] = []
  for (const name of names) {
    const subject = name.includes('__') ? tool(name) : ofClient(name)
    if (decide(policy, state, call(name, {}, { tool: subject }), noEvidence).action !== 'release') refused.push(name)
    state = admit(policy, state, { tools: [subject], principal: alice, callKey: name, outcome: 'done' }, noEvidence).state
  }
  return { refused, state }
}

describe.each(agentPackNames)('the pack %s', (name) => {
  const { work, web, shell, edit } = days[name]
  const policy = policyWith(name)
  /** A plain file, under each of the names that agents give it. */
  const patch = '*** Begin Patch\n*** Update File: src/a.ts\n@@\n-a\n+b\n*** End Patch'
  const edited = edit === 'apply_patch' ? { input: patch } : { path: 'src/a.ts', file_path: 'src/a.ts', filePath: 'src/a.ts' }

  test('lets a day of ordinary work through without a refusal, twice over', () => {
    expect(through(policy, [...work, 'tracker__get_issue', ...work]).refused).toEqual([])
  })

  test('after the web, commands, addresses and mail are refused; reading and editing go on', () => {
    const { state, refused } = through(policy, [...work, web])
    expect(refused).toEqual([])
    expect(state.label.trust).toBe(0)
    const decided = (tools: readonly string[]) =>
      tools.map((one) => [
        one,
        decide(policy, state, call(one, one === edit ? edited : {}, { tool: one.includes('__') ? tool(one) : ofClient(one) }), noEvidence)
          .action,
      ])
    expect(decided([shell, 'mail__send'])).toEqual([
      [shell, 'refuse'],
      ['mail__send', 'refuse'],
    ])
    expect(decided([edit, 'tracker__get_issue'])).toEqual([
      [edit, 'release'],
      ['tracker__get_issue', 'release'],
    ])
    // It stays in the offer: a plain command may still run.
    expect(reachable(policy, state, ofClient(shell), { principal: alice, actor: null }, null)).toMatchObject({
      action: 'release',
      rules: expect.arrayContaining([`contract ${shell} (pack ${name}@2)`]),
    })
  })

  test('has exact names that no tool of an MCP server can have, and a reason for each', () => {
    for (const [toolName, { why }] of Object.entries(packs[name].contracts)) {
      expect(toolName).not.toMatch(/\*|__/)
      expect(why.length).toBeGreaterThan(20)
    }
    expect(packs[name].name).toBe(name)
  })
})

describe('packs and contracts of the administrator', () => {
  const sources = (config: ConfigInput, ...names: readonly string[]) => names.map((name) => policyOf(config).contractOf(name)?.source)

  test('for the same name the administrator wins; a pattern of theirs does not switch a pack off', () => {
    const contracts = { Bash: { effects: ['run'] }, 'Web*': { output: {} }, '*': { output: { trust: 'untrusted' } } }
    expect(sources({ packs: ['claude-code'], contracts }, 'Bash', 'WebFetch', 'WebOther', 'Read', 'other')).toEqual([
      'Bash',
      'WebFetch (pack claude-code@2)',
      'Web*',
      'Read (pack claude-code@2)',
      '*',
    ])
    const own = policyOf({ packs: ['claude-code'], contracts }).contracts?.filter(({ pattern }) => pattern === 'Bash')
    expect(own).toHaveLength(1)
  })

  test('what no pack was named for is undescribed, and tools of MCP servers are never meant', () => {
    expect(sources({}, 'Bash')).toEqual([undefined])
    expect(sources({ packs: ['opencode'] }, 'files__read', 'read__files', 'Read')).toEqual([undefined, undefined, undefined])
  })

  test('a name that several packs know has the most restrictive of their contracts, and names them all', () => {
    const policy = policyOf({ packs: ['gemini-cli', 'qwen-code', 'gemini-cli'] })
    expect(policy.contractOf('read_file')?.source).toBe('read_file (pack gemini-cli@2, qwen-code@2)')
    // A shell for one of them would be a shell for all.
    const shell = policyOf({ packs: ['codex', 'opencode'] }).contractOf('shell')
    expect(shell).toMatchObject({ effects: ['egress', 'mutation'], requires: { trust: 1 } })
  })

  test('trusted and untrusted are the ends of the ranks, whatever they are called', () => {
    const policy = policyOf({ packs: ['claude-code'], policy: { trust: ['wild', 'known', 'checked'] } })
    expect(policy.contractOf('Bash')).toMatchObject({ output: { trust: 2 }, requires: { trust: 2 } })
    expect(policy.contractOf('WebSearch')).toMatchObject({ output: { trust: 0 } })
  })
})

describe.each(serverPackNames)('the pack %s', (name) => {
  const pack = packs[name]
  const names = Object.keys(pack.contracts)
  const policy = policyOf({ packs: [{ [name]: 'there' }], policy: { posture: 'standard' } })
  const subject = (original: string): ToolSubject => ({ name: exposedName('there', original), server: 'there' })
  const decided = (original: string, label: PolicyState['label']) =>
    decide(policy, { ...fresh(policy), label }, call(original, strangersArguments(pack, original), { tool: subject(original) }), noEvidence)
  const untrusted = { trust: 0, audience: [['alice']] }

  test('describes tools of the server it is for, with a reason each, and says whose tools they are', () => {
    expect(pack).toMatchObject({ name, of: expect.stringMatching(/\w/) })
    for (const [original, { why }] of Object.entries(pack.contracts)) {
      expect(policy.contractOf(exposedName('there', original))?.source).toContain(`(pack ${name}@${pack.version})`)
      expect(why.length).toBeGreaterThan(20)
    }
    expect(policy.contractOf(names[0] ?? '')).toBeUndefined()
  })

  test('what changes something or leaves runs in a trusted session, and after an untrusted read only what can be taken back', () => {
    for (const original of names) {
      const { effects = [], output } = pack.contracts[original] ?? { output: undefined }
      expect([original, decided(original, fresh(policy).label).action]).toEqual([original, 'release'])
      const kept = name === 'git' && ['git_add', 'git_create_branch'].includes(original)
      expect([original, decided(original, untrusted).action]).toEqual([original, effects.length === 0 || kept ? 'release' : 'refuse'])
      // What only reads is either known to be the principal's own, or untrusted.
      if (output?.trust === 'trusted') expect(output.audience).toBeUndefined()
    }
  })

  test('what leaves needs an audience of everybody, as long as its arguments name nobody', () => {
    for (const [original, { effects }] of Object.entries(pack.contracts))
      if (effects?.includes('egress') === true)
        expect([original, decided(original, { trust: 1, audience: [['@hr']] }).action]).toEqual([original, 'refuse'])
  })
})

describe('roles of arguments in packs', () => {
  test('of several packs for one server: the strictest, and an argument that one of them does not name is an authority', () => {
    const { args } =
      policyOf({ packs: [{ jira: 'team' }, { linear: 'team' }, { fetch: 'team' }] }).contractOf('team__jira_add_comment') ?? {}
    expect(args?.named.map(({ name, role, links }) => [name, role, links])).toEqual([
      ['issue_key', 'destination', false],
      ['comment', 'content', true],
      ['body', 'content', true],
    ])
    expect(args?.others.role).toBe('authority')
    const both = policyOf({ packs: [{ github: 'code' }, { gitlab: 'code' }, { linear: 'code' }] }).contractOf('code__create_issue')?.args
    expect(both?.named.map(({ name, role, links }) => [name, role, links])).toEqual([['title', 'content', true]])
  })

  test('under the ranks of the configuration', () => {
    const { args } =
      policyOf({ packs: ['filesystem'], policy: { trust: ['wild', 'known', 'checked'] } }).contractOf('filesystem__write_file') ?? {}
    expect(args?.named.map(({ name, trust }) => [name, trust])).toEqual([
      ['path', 2],
      ['content', 2],
    ])
  })

  test('a tool whose values could have a source is offered on, also where its content could leave for everybody', () => {
    const policy = policyOf({ packs: [{ slack: 'there' }, { github: 'code' }] })
    const state = { ...fresh(policy), label: { trust: 0, audience: [['alice']] } }
    const offered = (name: string) => reachable(policy, state, tool(name), { principal: alice, actor: null }, null).action === 'release'
    expect(offered('there__slack_post_message')).toBe(true)
    expect(offered('there__slack_add_reaction')).toBe(false)
    expect(offered('code__merge_pull_request')).toBe(false)
  })
})

describe('which servers packs are for', () => {
  const sourceOf = (config: ConfigInput, name: string) => policyOf(config).contractOf(name)?.source

  test('a bare name is for the server of that name, else for the one that is named, or several', () => {
    expect(sourceOf({ packs: ['github'] }, 'github__get_me')).toBe(`github__get_me (pack ${packId('github')})`)
    expect(sourceOf({ packs: [{ github: 'gh' }] }, 'gh__get_me')).toBe(`gh__get_me (pack ${packId('github')})`)
    expect(sourceOf({ packs: [{ github: 'gh' }] }, 'github__get_me')).toBeUndefined()
    expect(sourceOf({ packs: [{ slack: ['team', 'fans'] }] }, 'fans__slack_post_message')).toContain(`pack ${packId('slack')}`)
  })

  test('a contract of yours for the same name wins, and several packs for one server are the most restrictive of them', () => {
    expect(sourceOf({ packs: ['github'], contracts: { github__get_me: {} } }, 'github__get_me')).toBe('github__get_me')
    const both = policyOf({ packs: [{ github: 'code' }, { gitlab: 'code' }] }).contractOf('code__create_branch')
    expect(both).toMatchObject({ packs: ['github', 'gitlab'], requires: { trust: 1, includes: ['public'] } })
  })

  test('a tool whose name is too long to be shown is described under the name it has', () => {
    const server = 's'.repeat(31)
    const shown = exposedName(server, 'delete_merge_request_note_emoji_reaction')
    expect(shown).not.toContain('emoji_reaction')
    expect(sourceOf({ packs: [{ gitlab: server }] }, shown)).toContain(`pack ${packId('gitlab')}`)
  })

  test('servers are recognised by their tools', () => {
    const listed: readonly (readonly [PackName | undefined, readonly string[]])[] = [
      ['slack', ['slack_post_message', 'slack_get_users', 'slack_get_channel_history']],
      ['fetch', ['fetch']],
      [undefined, ['get_issue', 'something', 'quite', 'different']],
      [undefined, []],
    ]
    for (const [pack, tools] of listed) expect(packForServer(tools)).toBe(pack)
  })
})
