/** Refuses aliases that look like the name of another tool, lead to no server of their gateway, or show a tool twice. */
import type { Config } from '@turnward/contract/config'
import { gatewayServer, serverOfName } from '../core/tool-names.ts'
import type { ReportAt } from './problems.ts'

/** Reports what is wrong with `gateways.*.aliases`. Whether a server has the tool is known only when it runs. */
export function checkAliases(config: Config, report: ReportAt): void {
  for (const [name, { aliases, servers }] of Object.entries(config.gateways)) {
    const shown = new Map<string, string>()
    for (const [alias, tool] of Object.entries(aliases)) {
      const path = ['gateways', name, 'aliases', alias]
      const owner = serverOfName(alias)
      if (owner !== undefined && (owner === gatewayServer || Object.hasOwn(config.servers, owner)))
        report(path, `\`${alias}\` would look like a tool of \`${owner}\``, { where: 'key' })
      const server = serverOfName(tool)
      if (server === undefined || !servers.includes(server)) report(path, `\`${tool}\` is not \`server__tool\` of a server of this gateway`)
      const first = shown.get(tool)
      if (first !== undefined) report(path, `\`${tool}\` is already shown as \`${first}\``)
      shown.set(tool, alias)
    }
  }
}
