/** What cannot be right about our own authorization server, beside what its schema says. */
import type { Config } from '@turnward/contract/config'
import { closest } from '../core/closest-name.ts'
import type { ReportAt } from './problems.ts'

/** Reports two names for us, and people and issuers that are not there. */
export function checkOAuth(
  { identity: { oauth, issuers }, listen, principals }: Pick<Config, 'identity' | 'listen' | 'principals'>,
  report: ReportAt,
): void {
  if (oauth === undefined) return
  const path = ['identity', 'oauth']
  if (oauth.issuer !== undefined && listen.public_url !== undefined && oauth.issuer !== listen.public_url)
    report([...path, 'issuer'], `it must be what \`listen.public_url\` says, \`${listen.public_url}\`: clients find the one by the other`)
  if (oauth.login !== undefined && oauth.login !== 'local' && !Object.hasOwn(issuers, oauth.login))
    report([...path, 'login'], `there is no issuer \`${oauth.login}\` under \`identity.issuers\`; \`local\` means accounts of ours`, {
      suggestion: closest(oauth.login, [...Object.keys(issuers), 'local']),
    })
  for (const [name, { principal }] of Object.entries(oauth.clients)) {
    if (principal === undefined || Object.hasOwn(principals, principal)) continue
    report([...path, 'clients', name, 'principal'], `there is no principal \`${principal}\` under \`principals\``, {
      suggestion: closest(principal, Object.keys(principals)),
    })
  }
}
