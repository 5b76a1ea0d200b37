/** Where clients of responses call. */
import type { DialectPaths } from '../../dialect.ts'

export const paths: DialectPaths = { call: '/v1/responses' }
