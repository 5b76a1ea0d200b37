/**
 * The table of contract packs, and what the packs an administrator named come to. A name that several packs know gets
 * the most restrictive of their contracts: which of the agents is calling is not known here.
 */
import type { PackName } from '@turnward/contract/config/packs'
import type { Contract } from '../types.ts'
import { claudeCode } from './claude-code.ts'
import { cline } from './cline.ts'
import { codex } from './codex.ts'
import { geminiCli } from './gemini-cli.ts'
import { opencode } from './opencode.ts'
import type { ContractPack, PackContract } from './pack.ts'
import { qwenCode } from './qwen-code.ts'

/** Every pack that ships, by name. */
export const packs: Readonly<Record<PackName, ContractPack>> = {
  'claude-code': claudeCode,
  codex,
  'gemini-cli': geminiCli,
  opencode,
  'qwen-code': qwenCode,
  cline,
}

/** How a pack is named in decisions and in the revision of a configuration: `claude-code@1`. */
export function packId(name: PackName): string {
  return `${name}@${packs[name].version}`
}

/** The contracts of these packs under ranks from 0 to `topRank`, sorted by name. */
export function packContracts(names: readonly PackName[], topRank: number): readonly Contract[] {
  const byTool = new Map<string, { readonly from: PackName; readonly entry: PackContract }[]>()
  for (const from of new Set(names)) {
    for (const [tool, entry] of Object.entries(packs[from].contracts)) byTool.set(tool, [...(byTool.get(tool) ?? []), { from, entry }])
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

function strictest(entries: readonly PackContract[], topRank: number): Pick<Contract, 'output' | 'effects' | 'requires'> {
  const rank = (trust: 'untrusted' | 'trusted') => (trust === 'trusted' ? topRank : 0)
  return {
    output: {
      trust: Math.min(...entries.map(({ output }) => rank(output.trust))),
      // Packs know one audience only, so its intersection with itself is itself.
      audience: entries.find(({ output }) => output.audience !== undefined)?.output.audience,
    },
    effects: [...new Set(entries.flatMap(({ effects }) => effects ?? []))].sort(),
    requires: {
      trust: entries.some(({ requires }) => requires !== undefined) ? topRank : undefined,
      includes: [],
      done: [],
      notDone: [],
    },
  }
}

function whyOf(entries: readonly PackContract[]): string {
  return [...new Set(entries.map(({ why }) => why))].join(' ')
}
