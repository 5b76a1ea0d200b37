/** The policy that runs, as a page shows it: every line with its place, and what is known of the tools that are used. Pure. */
import type { policySchema } from '@turnward/contract/api/policy'
import { stringify } from 'yaml'
import type { z } from 'zod'
import type { ToolUse } from '../../audit/tool-use.ts'
import { shownObject } from '../../config/managed/secret-fields.ts'
import type { Snapshot } from '../../config/snapshot.ts'
import { gatewayServer } from '../../core/tool-names.ts'
import { draftContract } from '../../policy/drafting-contracts.ts'
import { packId } from '../../policy/packs/packs.ts'
import type { Contract } from '../../policy/types.ts'
import type { CatalogueTool } from '../../tools/catalogue.ts'
import { contractRow, contractView, coverageOf } from './contract-view.ts'
import type { RecentUse } from './recent-use.ts'
import { serverOf } from './suggestion.ts'
import { placed, shortFile, whereItStands, type WhereItStands } from './where-lines-stand.ts'

type EffectivePolicy = z.input<typeof policySchema>
type KnownTool = EffectivePolicy['tools'][number]

const mostTools = 1000
/** Longer names are no tools of ours: a model may propose anything. */
const longestName = 256

/** `listed`: what servers listed last, by exposed name. */
export function effectivePolicy(
  snapshot: Snapshot,
  listed: ReadonlyMap<string, CatalogueTool>,
  { uses, from, truncated }: RecentUse,
): EffectivePolicy {
  const { policy, files, revision } = snapshot
  const [main] = files
  const tools = toolsOf(snapshot, listed, uses)
  return {
    revision,
    file: main === undefined ? null : shortFile(files, main),
    posture: policy.posture,
    hide: policy.hide,
    trust: [...policy.trustRanks],
    packs: (policy.packs ?? []).map(({ pack, server }) => ({ pack: packId(pack), server: server ?? null })),
    rules: policy.rules.map(({ name, verdict, reason }) => ({
      name,
      verdict,
      reason,
      yaml: yamlOf(snapshot, 'rules', name),
      ...standing(whereItStands(snapshot, `rule ${name}`)),
    })),
    contracts: (policy.contracts ?? []).map((contract) => contractLine(snapshot, contract)),
    values: [...(snapshot.objects.get('values') ?? [])].map(([name, { origin }]) => ({
      name,
      yaml: yamlOf(snapshot, 'values', name),
      ...standing(placed(snapshot, origin)),
    })),
    coverage: {
      described: countOf(tools, 'described'),
      pack: countOf(tools, 'pack'),
      undescribed: countOf(tools, 'undescribed'),
    },
    tools: tools.slice(0, mostTools),
    shortened: tools.length > mostTools,
    from,
    truncated,
  }
}

function contractLine(snapshot: Snapshot, contract: Contract): EffectivePolicy['contracts'][number] {
  const { pattern, source, packs = [] } = contract
  const [, result = '-', does = '-', needs = '-'] = contractRow(contractView(contract, snapshot.policy))
  const where = whereItStands(snapshot, `contract ${source}`)
  return {
    pattern,
    packs: packs.map(packId),
    result,
    does,
    needs,
    yaml: where?.managed === 'pack' ? null : yamlOf(snapshot, 'contracts', pattern),
    ...standing(where),
  }
}

/** Every line of a policy that compiled stands somewhere. */
function standing(where: WhereItStands | undefined): WhereItStands {
  return where ?? { managed: 'file', place: null }
}

function toolsOf(snapshot: Snapshot, listed: ReadonlyMap<string, CatalogueTool>, uses: readonly ToolUse[]): readonly KnownTool[] {
  const used = new Map(uses.filter(({ tool }) => tool.length <= longestName).map((use) => [use.tool, use]))
  const names = new Set([
    ...[...listed.values()].filter(({ server }) => snapshot.servers.has(server)).map(({ name }) => name),
    ...used.keys(),
  ])
  return [...names]
    .filter((name) => !name.startsWith(`${gatewayServer}__`))
    .map((name) => toolLine(snapshot, name, listed.get(name), used.get(name)))
    .sort((one, other) => other.calls - one.calls || (one.tool < other.tool ? -1 : 1))
}

function toolLine(snapshot: Snapshot, tool: string, listed: CatalogueTool | undefined, use: ToolUse | undefined): KnownTool {
  const { policy } = snapshot
  const contract = policy.contractOf(tool)
  const server = serverOf(snapshot, tool)
  return {
    tool,
    server: server ?? null,
    coverage: coverageOf(contract),
    contract: contract?.pattern ?? null,
    calls: use?.calls ?? 0,
    refused: use?.refused ?? 0,
    observed: use?.observed ?? 0,
    suggestion: contract === undefined ? suggestionFor(snapshot, tool, listed) : null,
  }
}

function suggestionFor({ policy }: Snapshot, name: string, listed: CatalogueTool | undefined): string {
  const originalName = listed?.originalName ?? name
  const { contract, why } = draftContract({ name, originalName, definition: listed?.definition, staysHere: false }, policy.trustRanks)
  return `# ${why.replaceAll(/\s+/g, ' ')}\n${stringify({ contracts: { [name]: contract } })}`
}

function countOf(tools: readonly KnownTool[], coverage: KnownTool['coverage']): { readonly tools: number; readonly calls: number } {
  const of = tools.filter((tool) => tool.coverage === coverage)
  return { tools: of.length, calls: of.reduce((sum, { calls }) => sum + calls, 0) }
}

/** An object as a file says it. */
function yamlOf({ objects }: Snapshot, kind: 'rules' | 'contracts' | 'values', name: string): string {
  const written = objects.get(kind)?.get(name)
  if (written === undefined) return ''
  const value = shownObject(kind, written.value, true)
  return stringify({ [kind]: kind === 'rules' ? [value] : { [name]: value } }, { lineWidth: 0 })
}
