/** What could be said about the tools of a configuration that nobody described: drafts, packs, and how much they cover. Pure. */
import { agentPackNames, type PackName } from '@turnward/contract/config/packs'
import type { ToolUse } from '../../audit/tool-use.ts'
import type { Snapshot } from '../../config/snapshot.ts'
import { draftContract, type Draft, type DraftSubject } from '../../policy/drafting-contracts.ts'
import { packs } from '../../policy/packs/packs.ts'
import { packForServer } from '../../policy/packs/recognising-servers.ts'
import { type DraftOnRecord, draftOnRecord } from './draft-on-record.ts'
import type { ServerListing } from './listed-tools.ts'

export interface DraftedTool extends Draft {
  readonly server: string
  /** How often the decision log saw it called. */
  readonly seen: number
  /** What this draft would have done with these calls. */
  readonly onRecord: DraftOnRecord
}

export interface ServerCoverage {
  readonly server: string
  /** `listed`: the server named its tools. `log`: it could not be asked, so only tools that were called are known. */
  readonly from: 'listed' | 'log'
  readonly why?: string
  readonly tools: number
  readonly described: number
  readonly drafted: number
}

export interface SuggestedPack {
  readonly pack: PackName
  /** The configured server it is for; absent for the pack of an agent. */
  readonly server?: string
  readonly tools: readonly string[]
}

export interface Suggestion {
  readonly servers: readonly ServerCoverage[]
  readonly coverage: { readonly tools: number; readonly described: number; readonly drafted: number }
  /** Calls on record of the tools that were drafted, and how many of them the drafts would have refused. */
  readonly onRecord: { readonly calls: number; readonly refused: number; readonly notKnown: number }
  readonly drafts: readonly DraftedTool[]
  /** Packs that describe tools clients were seen to run themselves, and packs for servers whose tools they know. */
  readonly packs: readonly SuggestedPack[]
  /** Tools clients run themselves that were seen and that no contract and no pack describes. */
  readonly unknown: readonly { readonly tool: string; readonly seen: number }[]
}

/** Drafts for every tool of these servers without a contract. Deterministic: equal inputs, equal drafts. */
export function suggest(snapshot: Snapshot, listings: readonly ServerListing[], uses: readonly ToolUse[]): Suggestion {
  const seen = new Map(uses.map((use) => [use.tool, use]))
  const { policy } = snapshot
  const drafts: DraftedTool[] = []
  const forServers: SuggestedPack[] = []
  const servers = listings.map(({ server, tools, detail }): ServerCoverage => {
    const subjects =
      tools === undefined ? fromLog(server, uses) : tools.map(({ name, originalName, definition }) => ({ name, originalName, definition }))
    const open = subjects.filter(({ name }) => policy.contractOf(name) === undefined).sort((a, b) => (a.name < b.name ? -1 : 1))
    const known = tools === undefined ? undefined : packForServer(open.map(({ originalName }) => originalName))
    const ofPack = open.filter(({ originalName }) => known !== undefined && Object.hasOwn(packs[known].contracts, originalName))
    if (known !== undefined) forServers.push({ pack: known, server, tools: ofPack.map(({ name }) => name) })
    const rest = open.filter((subject) => !ofPack.includes(subject))
    for (const subject of rest) {
      const draft = draftContract({ ...subject, staysHere: staysHere(snapshot, server) }, policy.trustRanks)
      const onRecord = draftOnRecord(draft.contract, seen.get(subject.name), policy.trustRanks)
      drafts.push({ ...draft, server, seen: onRecord.calls, onRecord })
    }
    const counts = { tools: subjects.length, described: subjects.length - open.length, drafted: rest.length }
    return { server, from: tools === undefined ? 'log' : 'listed', ...(detail === undefined ? {} : { why: detail }), ...counts }
  })
  const own = uses.filter(({ tool }) => !serverOf(snapshot, tool) && policy.contractOf(tool) === undefined)
  const suggested = packsFor(own.map(({ tool }) => tool))
  const known = new Set(suggested.flatMap(({ tools }) => tools))
  return {
    servers,
    coverage: {
      tools: sum(servers.map(({ tools }) => tools)),
      described: sum(servers.map(({ described }) => described)),
      drafted: sum(servers.map(({ drafted }) => drafted)),
    },
    onRecord: {
      calls: sum(drafts.map(({ onRecord }) => onRecord.calls)),
      refused: sum(drafts.map(({ onRecord }) => onRecord.refused)),
      notKnown: sum(drafts.map(({ onRecord }) => onRecord.notKnown)),
    },
    drafts,
    packs: [...suggested, ...forServers],
    unknown: own.filter(({ tool }) => !known.has(tool)).map(({ tool, calls }) => ({ tool, seen: calls })),
  }
}

/** The configured server whose tool a name is; undefined for tools clients run themselves. */
export function serverOf(snapshot: Pick<Snapshot, 'servers'>, tool: string): string | undefined {
  const end = tool.indexOf('__')
  const server = end === -1 ? undefined : tool.slice(0, end)
  return server !== undefined && snapshot.servers.has(server) ? server : undefined
}

function fromLog(server: string, uses: readonly ToolUse[]): Omit<DraftSubject, 'staysHere'>[] {
  const prefix = `${server}__`
  // A model may propose any name; only one that a server can have is worth a contract.
  return uses
    .filter(({ tool }) => tool.startsWith(prefix) && exposedForm.test(tool))
    .map(({ tool }) => ({ name: tool, originalName: tool.slice(prefix.length), definition: undefined }))
}

const exposedForm = /^[A-Za-z0-9_.-]{1,64}$/

function staysHere({ servers }: Snapshot, server: string): boolean {
  const config = servers.get(server)?.config
  return config?.transport === 'stdio' && config.runner === 'bubblewrap' && config.network.length === 0
}

/** The fewest packs, best first, that describe what packs can describe of these tools. */
function packsFor(tools: readonly string[]): readonly SuggestedPack[] {
  let open = [...tools]
  const chosen: { pack: PackName; tools: string[] }[] = []
  for (;;) {
    const best = agentPackNames
      .map((pack) => ({ pack, tools: open.filter((tool) => Object.hasOwn(packs[pack].contracts, tool)) }))
      .reduce((one, other) => (other.tools.length > one.tools.length ? other : one))
    if (best.tools.length === 0) return chosen
    chosen.push(best)
    open = open.filter((tool) => !best.tools.includes(tool))
  }
}

function sum(numbers: readonly number[]): number {
  return numbers.reduce((total, number) => total + number, 0)
}
