/** Where clients of chat-completions call. */
import type { DialectPaths } from '../../dialect.ts'

export const paths: DialectPaths = { call: '/v1/chat/completions' }
