import { packNames, type PackName } from '@turnward/contract/config/packs'
import { describe, expect, test } from 'vitest'
import { admit } from '../admit.ts'
import { decide } from '../decide.ts'
import { noEvidence } from '../evidence.ts'
import { reachable } from '../reachable.ts'
import { alice, call, fresh, policyOf, tool, type ConfigInput } from '../written-policy.fixture.ts'
import type { Policy, PolicyState, ToolSubject } from '../types.ts'
import { packs } from './packs.ts'

const ofClient = (name: string): ToolSubject => ({ name, server: 'client' })
const described = {
  tracker__get_issue: { output: { trust: 'trusted' } },
  mail__send: { effects: ['egress'], requires: { trust: 'trusted' } },
}
const policyWith = (name: PackName, more: ConfigInput = {}) =>
  policyOf({ packs: [name], contracts: described, policy: { posture: 'standard' }, ...more })

/** The tools of a day: look around, edit, run the tests, plan, delegate, use a skill and an MCP server. */
const days: Readonly<
  Record<PackName, { readonly work: readonly string[]; readonly web: string; readonly shell: string; readonly edit: string }>
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

describe.each(packNames)('the pack %s', (name) => {
  const { work, web, shell, edit } = days[name]
  const policy = policyWith(name)

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
        decide(policy, state, call(one, {}, { tool: one.includes('__') ? tool(one) : ofClient(one) }), noEvidence).action,
      ])
    expect(decided([shell, 'mail__send'])).toEqual([
      [shell, 'refuse'],
      ['mail__send', 'refuse'],
    ])
    expect(decided([edit, 'tracker__get_issue'])).toEqual([
      [edit, 'release'],
      ['tracker__get_issue', 'release'],
    ])
    expect(reachable(policy, state, ofClient(shell), { principal: alice, actor: null }, null)).toMatchObject({
      action: 'refuse',
      rules: expect.arrayContaining([`contract ${shell} (pack ${name}@1)`]),
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
      'WebFetch (pack claude-code@1)',
      'Web*',
      'Read (pack claude-code@1)',
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
    expect(policy.contractOf('read_file')?.source).toBe('read_file (pack gemini-cli@1, qwen-code@1)')
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
