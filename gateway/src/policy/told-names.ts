/** Whether there may be people and groups that no file declares, because an identity provider, an edge or a directory names them. */
import type { Config } from '@turnward/contract/config'
import { isObject } from '../core/json.ts'

const tellers = ['issuers', 'edges', 'scim'] as const

/** Where this is so, an unknown name is a notice and no error: only who signs in can tell. */
export function namesAreTold(identity: Partial<Config['identity']> = {}): boolean {
  if (tellers.some((teller) => isFilled(identity[teller]))) return true
  // Accounts of the gateway itself are made while it runs.
  const signIn: unknown = identity.sign_in
  return isObject(signIn) && signIn['local'] === true
}

function isFilled(section: unknown): boolean {
  return isObject(section) && Object.keys(section).length > 0
}
