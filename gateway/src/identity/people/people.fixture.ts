/** People and revocations for tests that have no store: everybody is in the file, and nothing is revoked. */
import { TurnwardError } from '../../core/error.ts'
import type { Revocations } from '../revocations.ts'
import type { People } from './people.ts'
import { rolesOf } from './roles.ts'

const declared: People['principal'] = (id, snapshot) => {
  const principal = snapshot.principals.get(id)
  if (principal === undefined) throw new TurnwardError('auth.unknown_person', { subject: id })
  return principal
}

export const peopleOfTheFile: People = {
  principalOf: ({ user }, snapshot) => declared(user, snapshot),
  principal: declared,
  roles: async (id, snapshot) => rolesOf(await declared(id, snapshot), [], snapshot),
}

export const nothingRevoked: Revocations = {
  revoke: async () => {},
  revokedAt: () => undefined,
  onRevoked: () => () => {},
  look: async () => {},
}
