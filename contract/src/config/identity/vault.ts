/** What secrets of people are sealed with. */
import { notAvailableYet } from '../common.ts'

export const vaultSchema = notAvailableYet('identity.vault')
