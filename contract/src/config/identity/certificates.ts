/** Whom client certificates mean. */
import { notAvailableYet } from '../common.ts'

export const certificatesSchema = notAvailableYet('identity.certificates')
