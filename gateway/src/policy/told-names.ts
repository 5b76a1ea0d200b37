/** Whether there may be people and groups that no file declares, because an identity provider, an edge or a directory names them. */
import type { Config } from '@turnward/contract/config'

const tellers = ['issuers', 'edges', 'scim'] as const

/** Where this is so, an unknown name is a notice and no error: only who signs in can tell. */
export function namesAreTold(identity: Partial<Config['identity']> = {}): boolean {
  return identity.sign_in?.local === true || tellers.some((teller) => isConfigured(identity[teller]))
}

function isConfigured(section: unknown): boolean {
  return section !== undefined && section !== null && (typeof section !== 'object' || Object.keys(section).length > 0)
}
