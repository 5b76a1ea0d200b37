/** Where clients of messages call. */
import type { DialectPaths } from '../../dialect.ts'

export const paths: DialectPaths = { call: '/v1/messages', count: '/v1/messages/count_tokens' }
