/** Edges whose word about a caller counts. */
import { notAvailableYet } from '../common.ts'

export const edgesSchema = notAvailableYet('identity.edges')
