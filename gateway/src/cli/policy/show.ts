/** `turnward policy show`: the contracts in force, who wrote each, and which one a tool name gets. */
import type { Snapshot } from '../../config/snapshot.ts'
import { loadConfig } from '../../config/load.ts'
import { packId, packs } from '../../policy/packs/packs.ts'
import type { Contract } from '../../policy/types.ts'
import { fail, print, table } from '../output.ts'
import { contractHead, contractRow, contractView } from './contract-view.ts'

export interface ShowOptions {
  readonly config: string
  readonly json?: boolean
  readonly effective?: boolean
  readonly tool?: string
}

export async function showPolicy(options: ShowOptions): Promise<void> {
  try {
    const snapshot = await loadConfig(options.config, process.env)
    if (options.tool === undefined) showContracts(options, snapshot)
    else showTool(options, options.tool, snapshot)
  } catch (error) {
    fail(options, error)
  }
}

function showContracts(options: ShowOptions, { policy }: Snapshot): void {
  const all = policy.contracts ?? []
  const own = all.filter(({ packs: from }) => from === undefined)
  // In order of precedence; names of packs are exact, so among them only the reader's order counts.
  const shipped = all.filter(({ packs: from }) => from !== undefined).map((contract) => contractView(contract, policy))
  const byPack = shipped.toSorted((a, b) => (a.from === b.from ? (a.pattern < b.pattern ? -1 : 1) : a.from < b.from ? -1 : 1))
  const shown = [...own.map((contract) => contractView(contract, policy)), ...(options.effective === true ? byPack : [])]
  const used = packsOf(all)
  const rest = all.length - shown.length
  const text = [
    `posture ${policy.posture}; packs: ${used.join(', ') || `none (there are ${Object.keys(packs).join(', ')})`}`,
    '',
    shown.length === 0 ? 'No contract of your own.' : table([contractHead, ...shown.map(contractRow)]),
    ...(rest > 0 ? ['', `${rest} more from packs: \`turnward policy show --effective\`.`] : []),
  ].join('\n')
  print(options, { posture: policy.posture, packs: used, contracts: shown }, text)
}

function showTool(options: ShowOptions, tool: string, { policy }: Snapshot): void {
  const contract = policy.contractOf(tool)
  if (contract === undefined) {
    const text = `${tool}: no contract describes it. Its results count as ${policy.trustRanks[0]} and for the principal only; ${whenCallable[policy.posture]}`
    return print(options, { tool, contract: null, posture: policy.posture }, text)
  }
  const view = contractView(contract, policy)
  print(
    options,
    { tool, contract: view, posture: policy.posture },
    [table([contractHead, contractRow(view)]), ...(view.why === undefined ? [] : ['', view.why])].join('\n'),
  )
}

const whenCallable: Readonly<Record<Snapshot['policy']['posture'], string>> = {
  strict: 'it is never called (`posture: strict`).',
  standard: 'it is called while the session is fully trusted, after that only if it is an MCP tool that only reads.',
  observe: 'it is called always, and what `standard` would refuse is recorded (`turnward policy readiness`).',
}

function packsOf(contracts: readonly Contract[]): readonly string[] {
  return [...new Set(contracts.flatMap(({ packs: from }) => from ?? []))].map(packId)
}
