/** Our own OAuth server. */
import { notAvailableYet } from '../common.ts'

export const oauthSchema = notAvailableYet('identity.oauth')
