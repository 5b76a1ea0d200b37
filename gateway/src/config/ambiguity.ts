/**
 * Refuses configurations in which one name or secret would mean two things: who a key belongs to, which route
 * answers, which server a tool name leads to. Names of rules, ranks and readers are the policy room's to check.
 */
import type { Config } from '@turnward/contract/config'
import { sha256 } from '../core/hash.ts'
import { canonicalJson, type JsonValue } from '../core/json.ts'
import type { ConfigPath } from './locate.ts'
import type { ReportAt } from './problems.ts'
import { gatewayServer } from '../core/tool-names.ts'

/** Server name in policy subjects for tools the client runs itself. */
const clientServer = 'client'

/** Reports everything that is declared in two ways at once. */
export function checkAmbiguity(config: Config, report: ReportAt): void {
  const routes = new Map<string, string>()
  for (const [index, route] of config.routes.entries())
    once(
      routes,
      // Routes with conditions of their own may share a model.
      route.match === undefined ? route.model : `${route.model} ${canonicalJson(route.match as JsonValue)}`,
      `routes[${index}]`,
      ['routes', index, 'model'],
      (first) => `\`${route.model}\` already has a route at \`${first}\`; list all its upstreams there`,
      report,
    )

  const secrets = new Map<string, string>()
  for (const [id, key] of Object.entries(config.keys))
    once(
      secrets,
      sha256(key.secret),
      id,
      ['keys', id, 'secret'],
      (first) => `this is also the secret of key \`${first}\`; each key needs its own`,
      report,
    )

  const servers = new Map<string, string>()
  for (const name of Object.keys(config.servers)) {
    if (name.toLowerCase() === clientServer)
      report(['servers', name], `\`${name}\` is reserved for tools that clients run themselves`, { where: 'key' })
    if (name.toLowerCase() === gatewayServer)
      report(['servers', name], `\`${name}\` is reserved for tools of the gateway itself`, { where: 'key' })
    once(
      servers,
      name.toLowerCase(),
      name,
      ['servers', name],
      (first) => `\`${name}\` and \`${first}\` differ only in case, so \`${name}__tool\` could mean either`,
      report,
      'key',
    )
  }
}

function once(
  seen: Map<string, string>,
  name: string,
  owner: string,
  path: ConfigPath,
  message: (first: string) => string,
  report: ReportAt,
  where: 'key' | 'value' = 'value',
): void {
  const first = seen.get(name)
  if (first === undefined) seen.set(name, owner)
  else report(path, message(first), { where })
}
