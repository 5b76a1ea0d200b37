/** Directories of the configuration, beyond their form. */
import type { Config } from '@turnward/contract/config'
import { closest } from '../core/closest-name.ts'
import type { ReportAt } from './problems.ts'

/** Reports directories that tell of the people of nobody, and two that cannot be told apart. */
export function checkDirectories({ identity }: Config, report: ReportAt): void {
  const tokens = new Map<string, string>()
  for (const [name, { issuer, token }] of Object.entries(identity.scim)) {
    if (!Object.hasOwn(identity.issuers, issuer))
      report(['identity', 'scim', name, 'issuer'], `there is no issuer \`${issuer}\` under \`identity.issuers\``, {
        suggestion: closest(issuer, Object.keys(identity.issuers)),
      })
    const other = tokens.get(token)
    if (other !== undefined) report(['identity', 'scim', name, 'token'], `\`${other}\` has the same token`)
    tokens.set(token, name)
  }
}
