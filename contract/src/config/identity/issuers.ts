/** Issuers whose tokens are taken. */
import { z } from 'zod'
import { nameSchema, notAvailableYet } from '../common.ts'

export const issuersSchema = z.record(nameSchema, notAvailableYet('identity.issuers')).default({})
