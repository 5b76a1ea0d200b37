/** `turnward policy check`: trust that contracts give to what strangers can write, with what speaks for it. Warnings, never errors. */
import { loadConfig } from '../../config/load.ts'
import { type MisplacedTrust, misplacedTrust } from '../../policy/misplaced-trust/misplaced-trust.ts'
import { printable } from '../../audit/format-tree.ts'
import { fail, print } from '../output.ts'
import { knownTools } from './known-tools.ts'
import { listServers } from './listed-tools.ts'

export interface PolicyCheckOptions {
  readonly config: string
  readonly json?: boolean
  readonly offline?: boolean
}

export async function checkPolicy(options: PolicyCheckOptions): Promise<void> {
  try {
    const snapshot = await loadConfig(options.config, process.env)
    const listings = options.offline === true ? [] : await listServers(snapshot, [...snapshot.servers.keys()])
    const tools = knownTools(snapshot, listings)
    const warnings = misplacedTrust(snapshot.policy, tools)
    const unasked = listings
      .filter((listing) => listing.tools === undefined)
      .map(({ server, detail }) => ({ server, why: detail ?? 'it could not be asked' }))
    const lines = [
      ...warningLines(warnings),
      ...unasked.map(
        ({ server, why }) =>
          `${server} could not be asked for its tools (${printable(why).replaceAll(/\s+/g, ' ')}): only what contracts and packs name was looked at`,
      ),
      warnings.length === 0 ? `no contract trusts what strangers are known to write (${tools.length} tools looked at)` : remedy,
    ]
    print(options, { tools: tools.length, misplacedTrust: warnings, unasked }, lines.join('\n'))
  } catch (error) {
    fail(options, error)
  }
}

/** What can be done about such a warning. */
const remedy =
  'Whoever can write what a trusted tool returns can steer every call that is decided by trust. Say `trust: untrusted`, take the pack, or write why no stranger can write there under `output.because`.'

/** One line for each tool. */
export function warningLines(warnings: readonly MisplacedTrust[]): readonly string[] {
  return warnings.map(({ tool, contract, trust, evidence }) => {
    const says = trust === null ? 'says nothing of its trust, so its results are trusted' : `calls its results \`${trust}\``
    return `warning: ${tool}: contract ${contract} ${says}, but ${evidence.map(({ detail }) => detail).join('; ')}`
  })
}
