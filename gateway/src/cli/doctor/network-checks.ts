/** Hosts that servers were refused: what an administrator may want to allow, line by line. Nothing is ever added by itself. */
import { join } from 'node:path'
import { compileEgressRules, type NetworkList } from '../../config/egress-rules.ts'
import type { Snapshot } from '../../config/snapshot.ts'
import { readRefusedHosts, type KeptRefusal } from '../../tools/runners/refused-hosts-file.ts'
import type { Finding } from './finding.ts'

const shown = 20

/** What was refused to the servers of a configuration and would be refused still. */
export async function checkNetworks(snapshot: Snapshot): Promise<readonly Finding[]> {
  const kept = await readRefusedHosts(join(snapshot.dataDir, 'servers'))
  return [...snapshot.servers.values()].flatMap(({ name, config }) =>
    config.transport === 'stdio' ? networkFindings(name, config.network, kept.get(name) ?? []) : [],
  )
}

/** One finding for a server that has been refused hosts which a line would allow. */
export function networkFindings(server: string, network: NetworkList, kept: readonly KeptRefusal[]): readonly Finding[] {
  const rules = compileEgressRules(server, network)
  const isAllowed = ({ host, port, add }: KeptRefusal): boolean => {
    const service = rules.forwards.find((forward) => forward.host === host && forward.port === port)
    const verdict = add?.startsWith('{ tcp:') === true ? service : rules.judge(host, port)
    return verdict !== undefined && !('why' in verdict) && (verdict.private || add?.startsWith('{') !== true)
  }
  const refused = kept.filter((one) => one.add !== undefined && !isAllowed(one)).slice(0, shown)
  if (refused.length === 0) return []
  return [
    {
      check: `server ${server}`,
      level: 'warning',
      detail: `it was refused what it asked for: ${refused.map(({ host, port }) => `${host}:${port}`).join(', ')}`,
      fix: [`Where it is meant to reach one, add its line to \`servers.${server}.network\`:`, ...refused.map(({ add }) => `- ${add}`)].join(
        '\n           ',
      ),
    },
  ]
}
