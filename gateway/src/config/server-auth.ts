/** Refuses servers whose `auth` cannot do what it says: for want of an issuer, or of children that are a person's own. */
import type { Config } from '@turnward/contract/config'
import type { ReportAt } from './problems.ts'

/** Reports what is wrong with `servers.*.auth` beside its form. */
export function checkServerAuth({ servers, identity }: Config, report: ReportAt): void {
  for (const [name, server] of Object.entries(servers)) {
    const { auth } = server
    if (auth?.kind === 'person_secret' && (server.transport !== 'stdio' || server.per !== 'principal'))
      report(
        ['servers', name, 'auth'],
        'a child that people share cannot have the secret of one of them: `per: principal` gives each person a child',
      )
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
