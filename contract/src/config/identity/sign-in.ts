/** How people sign in with a browser. */
import { notAvailableYet } from '../common.ts'

export const signInSchema = notAvailableYet('identity.sign_in')
