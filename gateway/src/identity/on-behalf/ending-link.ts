/**
 * The end of a connected account. Here it is forgotten at once, whatever is said elsewhere; at its authorization server its tokens
 * are taken back where that can be done (RFC 7009), for somebody else may have seen them.
 */
import type { McpServer } from '../../config/snapshot.ts'
import type { Logger } from '../../core/logger.ts'
import { linkPlace, readLink, type LinkTokens } from './link.ts'
import type { SecretVault } from './secret-vault.ts'
import { TokenRefused } from './token-request.ts'

/** Takes tokens back. False where the authorization server offers no such thing. Rejects when it could not be told. */
export type RevokeTokens = (server: McpServer, tokens: LinkTokens, signal: AbortSignal) => Promise<boolean>

export interface EndingLinkParts {
  readonly vault: Pick<SecretVault, 'get' | 'remove'>
  readonly revoke: RevokeTokens
  readonly logger: Pick<Logger, 'info' | 'warn'>
}

/** `none`: there was nothing. `kept there`: its authorization server still knows the tokens. */
export type EndedLink = 'none' | 'taken back' | 'kept there'

/** A person waits for it. */
const longestMs = 5000

/** Of all who end the same one at once, one takes its tokens back. Rejects with `store.failed`. */
export async function endLink({ vault, revoke, logger }: EndingLinkParts, person: string, server: McpServer): Promise<EndedLink> {
  const place = linkPlace(person, server.name)
  const kept = await vault.get(place)
  if (!(await vault.remove(place))) return 'none'
  const link = kept === undefined ? undefined : readLink(kept.content, server)
  // Taken back already, or of another address: nothing that this server’s authorization server would know.
  if (link === undefined) return 'kept there'
  const about = { server: server.name }
  try {
    if (await revoke(server, link.tokens, AbortSignal.timeout(longestMs))) {
      logger.info(about, 'the tokens of a connected account were taken back at its authorization server')
      return 'taken back'
    }
    logger.info(about, 'the authorization server of a connected account takes no tokens back; they are forgotten here')
  } catch (error) {
    const reason = error instanceof TokenRefused ? error.reason : 'unreachable'
    logger.warn(
      { ...about, reason },
      'the tokens of a connected account could not be taken back at its authorization server; they are forgotten here',
    )
  }
  return 'kept there'
}
