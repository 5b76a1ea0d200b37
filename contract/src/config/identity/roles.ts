/** Who may administer what. */
import { notAvailableYet } from '../common.ts'

export const rolesSchema = notAvailableYet('identity.roles')
