/** Refuses servers that are called with tokens of an issuer that is not configured, or where this gateway is no client. */
import type { Config } from '@turnward/contract/config'
import type { ReportAt } from './problems.ts'

/** Reports what is wrong with `servers.*.auth.issuer`. */
export function checkServerIssuers({ servers, identity }: Config, report: ReportAt): void {
  for (const [name, server] of Object.entries(servers)) {
    const auth = server.transport === 'stdio' ? undefined : server.auth
    if (auth?.kind !== 'exchange' && auth?.kind !== 'entra_obo' && auth?.kind !== 'id_jag') continue
    const path = ['servers', name, 'auth', 'issuer']
    const issuer = Object.hasOwn(identity.issuers, auth.issuer) ? identity.issuers[auth.issuer] : undefined
    if (issuer === undefined) report(path, `there is no issuer \`${auth.issuer}\` under \`identity.issuers\``)
    else if (issuer.client === undefined)
      report(
        path,
        `the issuer \`${auth.issuer}\` gives tokens to its clients only: say under \`identity.issuers.${auth.issuer}.client\` which one this gateway is`,
      )
  }
}
