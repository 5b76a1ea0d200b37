/** Whether those can be asked for their keys whose tokens are taken. */
import type { Snapshot } from '../../config/snapshot.ts'
import type { Issuer } from '../../core/issuer.ts'
import { guardedFetchFor } from '../../identity/ways/token/issuers.ts'
import { askForKeys } from '../../identity/ways/token/issuer-metadata.ts'
import { readSigningKeys } from '../../identity/ways/token/signing-keys.ts'
import type { Finding } from './finding.ts'

/** Asks every issuer of a configuration. */
export async function findIssuers({ issuers }: Snapshot): Promise<readonly Finding[]> {
  return Promise.all([...issuers.values()].map(findIssuer))
}

async function findIssuer(issuer: Issuer): Promise<Finding> {
  const check = `issuer ${issuer.name}`
  try {
    const { keySet } = await askForKeys(issuer, guardedFetchFor(issuer))
    const { all } = readSigningKeys(keySet)
    const fitting = all.filter(({ algorithms }) => algorithms.some((one) => issuer.algorithms.includes(one)))
    if (fitting.length > 0) return { check, level: 'ok', detail: `${fitting.length} keys that tokens can be signed with` }
    return {
      check,
      level: 'problem',
      detail: `none of its ${all.length} keys is for ${issuer.algorithms.join(', ')}: no token of it is taken`,
      fix: `Set \`identity.issuers.${issuer.name}.algorithms\` to what it signs with.`,
    }
  } catch (error) {
    const detail = error instanceof Error ? error.message : 'it cannot be asked'
    return { check, level: 'problem', detail, fix: 'No token of it is taken until its keys can be had; see docs/identity/issuers.md.' }
  }
}
