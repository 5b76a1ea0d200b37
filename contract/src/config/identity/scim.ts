/** Directories that tell us of people and groups. */
import { notAvailableYet } from '../common.ts'

export const scimSchema = notAvailableYet('identity.scim')
