/**
 * The table of contract packs, and what the packs an administrator named come to. A name that several packs know gets
 * the most restrictive of their contracts: which of the agents is calling is not known here.
 */
import { serverPackNames, type PackName, type PackUse } from '@turnward/contract/config/packs'
import { exposedName } from '../../core/exposed-names.ts'
import { compileRemembers } from '../remembered-values.ts'
import type { BoundPack, Contract } from '../types.ts'
import { claudeCode } from './claude-code.ts'
import { cline } from './cline.ts'
import { codex } from './codex.ts'
import { geminiCli } from './gemini-cli.ts'
import { opencode } from './opencode.ts'
import type { ContractPack, PackContract } from './pack.ts'
import { qwenCode } from './qwen-code.ts'
import { rolesOf } from './roles-of-packs.ts'
import { aws } from './servers/aws.ts'
import { confluence } from './servers/confluence.ts'
import { fetch } from './servers/fetch.ts'
import { filesystem } from './servers/filesystem.ts'
import { git } from './servers/git.ts'
import { github } from './servers/github.ts'
import { gitlab } from './servers/gitlab.ts'
import { gmail } from './servers/gmail.ts'
import { googleCalendar } from './servers/google-calendar.ts'
import { googleDrive } from './servers/google-drive.ts'
import { jira } from './servers/jira.ts'
import { kubernetes } from './servers/kubernetes.ts'
import { linear } from './servers/linear.ts'
import { memory } from './servers/memory.ts'
import { notion } from './servers/notion.ts'
import { playwright } from './servers/playwright.ts'
import { postgres } from './servers/postgres.ts'
import { sentry } from './servers/sentry.ts'
import { slack } from './servers/slack.ts'
import { sqlite } from './servers/sqlite.ts'
import { stripe } from './servers/stripe.ts'

/** Every pack that ships, by name. */
export const packs: Readonly<Record<PackName, ContractPack>> = {
  'claude-code': claudeCode,
  codex,
  'gemini-cli': geminiCli,
  opencode,
  'qwen-code': qwenCode,
  cline,
  filesystem,
  memory,
  fetch,
  playwright,
  git,
  github,
  gitlab,
  slack,
  gmail,
  'google-drive': googleDrive,
  'google-calendar': googleCalendar,
  notion,
  jira,
  confluence,
  linear,
  postgres,
  sqlite,
  sentry,
  stripe,
  aws,
  kubernetes,
}

/** How a pack is named in decisions and in the revision of a configuration: `claude-code@1`. */
export function packId(name: PackName): string {
  return `${name}@${packs[name].version}`
}

export interface WrittenPack extends BoundPack {
  /** Where it was written, below `packs`. */
  readonly path: readonly (string | number)[]
}

/** What entries of `packs` say, one by one: a bare name of a server pack is for the server of that name. */
export function boundPacks(uses: readonly PackUse[]): readonly WrittenPack[] {
  return uses.flatMap((use, index): readonly WrittenPack[] => {
    if (typeof use === 'string') return [{ pack: use, server: isForServers(use) ? use : undefined, path: [index] }]
    return Object.entries(use).flatMap(([pack, servers]) =>
      (typeof servers === 'string' ? [servers] : (servers ?? [])).map((server, at) => ({
        // The schema has no other keys.
        pack: pack as PackName,
        server,
        path: typeof servers === 'string' ? [index, pack] : [index, pack, at],
      })),
    )
  })
}

function isForServers(pack: PackName): boolean {
  return serverPackNames.some((name) => name === pack)
}

/** The contracts of these packs under ranks from 0 to `topRank`, sorted by name. */
export function packContracts(uses: readonly PackUse[], topRank: number): readonly Contract[] {
  const byTool = new Map<string, { readonly from: PackName; readonly entry: PackContract }[]>()
  for (const { pack: from, server } of boundPacks(uses)) {
    for (const [name, entry] of Object.entries(packs[from].contracts)) {
      const tool = server === undefined ? name : exposedName(server, name)
      const known = byTool.get(tool) ?? []
      if (!known.some((one) => one.from === from)) byTool.set(tool, [...known, { from, entry }])
    }
  }
  return [...byTool]
    .sort(([a], [b]) => (a < b ? -1 : 1))
    .map(([tool, known]) => {
      const from = known.map((one) => one.from)
      const entries = known.map(({ entry }) => entry)
      return {
        ...strictest(entries, topRank),
        pattern: tool,
        source: `${tool} (pack ${from.map(packId).join(', ')})`,
        packs: from,
        why: whyOf(entries),
      }
    })
}

function strictest(
  entries: readonly PackContract[],
  topRank: number,
): Pick<Contract, 'output' | 'effects' | 'requires' | 'args' | 'remembers'> {
  const rank = (trust: 'untrusted' | 'trusted') => (trust === 'trusted' ? topRank : 0)
  return {
    output: {
      trust: Math.min(...entries.map(({ output }) => rank(output.trust))),
      // Packs know one audience only, so its intersection with itself is itself.
      audience: entries.find(({ output }) => output.audience !== undefined)?.output.audience,
    },
    effects: [...new Set(entries.flatMap(({ effects }) => effects ?? []))].sort(),
    ...rolesOf(
      entries.flatMap(({ args }) => (args === undefined ? [] : [args])),
      topRank,
    ),
    ...remembersOf(entries),
    requires: {
      trust: entries.some(({ requires }) => requires?.trust !== undefined) ? topRank : undefined,
      ...exceptionsOf(entries),
      includes: [...new Set(entries.flatMap(({ requires }) => requires?.audience ?? []))],
      done: [],
      notDone: [],
    },
  }
}

/** What several packs say in different words is everything. */
function remembersOf(entries: readonly PackContract[]): Pick<Contract, 'remembers'> {
  const [first, ...others] = entries.flatMap(({ remembers }) => (remembers === undefined ? [] : [remembers]))
  if (first === undefined) return {}
  const isSame = others.every((other) => JSON.stringify(other) === JSON.stringify(first))
  return { remembers: compileRemembers(isSame ? first : 'all') }
}

/** What is an exception for every agent that needs a trust for it: each of its arguments counts, whichever of them is calling. */
function exceptionsOf(entries: readonly PackContract[]): Pick<Contract['requires'], 'unless'> {
  const needs = entries.flatMap(({ requires }) => (requires?.trust === undefined ? [] : [requires.unless]))
  const known = needs.filter((unless) => unless !== undefined)
  if (known.length === 0 || known.length < needs.length) return {}
  const names = [...new Set(known.flatMap((unless) => Object.keys(unless)))].sort()
  const shapesOf = (name: string) => known.flatMap((unless) => (unless[name] === undefined ? [] : [unless[name]]))
  return {
    unless: Object.fromEntries(
      names.map((name) => [name, (shapesOf(name)[0] ?? []).filter((shape) => shapesOf(name).every((others) => others.includes(shape)))]),
    ),
  }
}

function whyOf(entries: readonly PackContract[]): string {
  return [...new Set(entries.map(({ why }) => why))].join(' ')
}
