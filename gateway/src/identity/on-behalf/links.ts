/**
 * The accounts that people have connected, and their tokens as they are needed: renewed once however many calls wait and however
 * many processes there are, and gone for one person alone when the authorization server takes them back.
 */
import type { McpServer } from '../../config/snapshot.ts'
import { asTurnwardError, TurnwardError } from '../../core/error.ts'
import { randomText } from '../../core/ids.ts'
import type { Logger } from '../../core/logger.ts'
import { renewalMs, renewedAlone, type RenewingParts } from './renewing-alone.ts'
import { changeSecret, type SecretVault } from './secret-vault.ts'
import { addressOf, endedLink, linkPlace, readLink, type Link, type LinkTokens } from './link.ts'
import { TokenRefused } from './token-request.ts'

/** Renews tokens. Rejects with a `TokenRefused`; `invalid_grant` for those that are of no use any more. */
export type RenewTokens = (server: McpServer, tokens: LinkTokens, signal: AbortSignal) => Promise<LinkTokens>

export interface LinksOptions extends RenewingParts {
  readonly vault: SecretVault
  readonly logger: Logger
  readonly renew: RenewTokens
}

/** A token is not used any more this long before it expires. */
const marginMs = 30_000

export class Links {
  readonly #options: LinksOptions
  /** By person and server: whoever needs it meanwhile waits for the same answer. */
  readonly #renewing = new Map<string, Promise<Link | undefined>>()

  constructor(options: LinksOptions) {
    this.#options = options
  }

  /** The link of a person to a server as it is kept, whatever its tokens are good for. */
  async find(person: string, server: McpServer): Promise<Link | undefined> {
    const kept = await this.#options.vault.get(linkPlace(person, server.name))
    return kept === undefined ? undefined : readLink(kept.content, server)
  }

  /** Keeps what a person has consented to, in place of what was before. */
  async keep(person: string, server: McpServer, tokens: LinkTokens): Promise<Link> {
    const link: Link = { url: addressOf(server), tokens, linkedAt: this.#options.clock.now(), id: randomText(16) }
    await this.#options.vault.put(linkPlace(person, server.name), JSON.stringify(link))
    return link
  }

  /** Forgets it. False when there was none. */
  async remove(person: string, server: string): Promise<boolean> {
    return this.#options.vault.remove(linkPlace(person, server))
  }

  /**
   * The link with a token that can be used now; undefined when the person has none, or has to consent again. `refused`: a token
   * that the server did not take, which is renewed however long it would be good for. Rejects with `mcp.no_credential` when the
   * authorization server cannot be asked.
   */
  async usable(person: string, server: McpServer, refused?: string): Promise<Link | undefined> {
    const link = await this.find(person, server)
    if (link === undefined || this.#isGood(link, refused)) return link
    const key = JSON.stringify([person, server.name, server.digest])
    let renewing = this.#renewing.get(key)
    if (renewing === undefined) {
      renewing = this.#renewed(person, server, refused).finally(() => this.#renewing.delete(key))
      this.#renewing.set(key, renewing)
    }
    return renewing
  }

  #isGood({ tokens: { access, expires } }: Link, refused: string | undefined): boolean {
    return access !== refused && (expires === undefined || this.#options.clock.now() < expires - marginMs)
  }

  async #renewed(person: string, server: McpServer, refused: string | undefined): Promise<Link | undefined> {
    const renewed = await renewedAlone<Link | undefined>(this.#options, {
      name: `renewing ${JSON.stringify([person, server.name])}`,
      look: () => this.find(person, server),
      isGood: (link) => link === undefined || this.#isGood(link, refused),
      renew: async (link) => (link === undefined ? undefined : this.#renew(person, server, link)),
    })
    if (renewed === undefined) throw noAnswer(server, 'another process is renewing the token and does not get to an end')
    return renewed.kept
  }

  async #renew(person: string, server: McpServer, link: Link): Promise<Link | undefined> {
    const { vault, renew, logger } = this.#options
    const place = linkPlace(person, server.name)
    const isStill = (content: string): boolean => readLink(content, server)?.id === link.id
    // It stays, so that its person sees what has become of it; the next consent takes its place.
    if (link.tokens.refresh === undefined) return undefined
    try {
      const tokens = await renew(server, link.tokens, AbortSignal.timeout(renewalMs - 5000))
      const next: Link = { ...link, tokens }
      // What was removed meanwhile stays removed, and a new consent counts more than the renewal of an old one.
      await changeSecret(vault, place, (before) => (isStill(before) ? JSON.stringify(next) : undefined))
      return await this.find(person, server)
    } catch (error) {
      const refusal = error instanceof TokenRefused ? error : undefined
      logger.warn(
        { server: server.name, reason: refusal?.reason ?? asTurnwardError(error).code },
        'a connected account could not be renewed',
      )
      if (refusal?.reason === 'invalid_grant') {
        await this.#forget(person, server, link)
        return undefined
      }
      throw noAnswer(
        server,
        refusal === undefined ? 'the token could not be renewed' : `its authorization server says \`${refusal.message}\``,
      )
    }
  }

  /** Ends exactly this consent: a newer one stays. */
  async #forget(person: string, server: McpServer, link: Link): Promise<void> {
    await changeSecret(this.#options.vault, linkPlace(person, server.name), (before) =>
      readLink(before, server)?.id === link.id ? endedLink : undefined,
    )
  }
}

function noAnswer(server: McpServer, why: string): TurnwardError {
  return new TurnwardError('mcp.no_credential', { subject: server.name, why, fix: 'Try again in a moment; the connected account is kept.' })
}
