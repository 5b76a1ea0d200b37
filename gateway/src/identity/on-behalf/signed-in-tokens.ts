/**
 * What issuers gave when people signed in there, kept sealed for exchanges with the same issuer: renewed when it has ended, shown to
 * nobody else.
 */
import { z } from 'zod'
import type { Logger } from '../../core/logger.ts'
import { signInPlace } from '../browser/oidc/kept-tokens.ts'
import type { PersonTokens } from './person-tokens.ts'
import { renewedAlone, type RenewingParts } from './renewing-alone.ts'
import { changeSecret, type SecretVault } from './secret-vault.ts'
import { claimsOf, type Subject } from './subject.ts'
import type { SignedInTokens } from './subject-source.ts'
import type { TokenEndpoint } from './token-endpoint.ts'
import { requestToken, TokenRefused } from './token-request.ts'

export interface SignedInParts extends RenewingParts {
  readonly vault: SecretVault
  readonly logger: Logger
  /** What was issued for persons, which does not outlive what it was issued for. */
  readonly issued: Pick<PersonTokens, 'cut'>
  /** Rejects when the issuer cannot be asked. */
  readonly issuerAt: (issuer: string) => Promise<TokenEndpoint>
}

/** As sign-in keeps them. Times are Unix milliseconds. */
const tokensSchema = z.object({
  id_token: z.string().optional(),
  access_token: z.string().optional(),
  access_token_expires: z.number().optional(),
  refresh_token: z.string().optional(),
})
type Tokens = z.output<typeof tokensSchema>

const marginMs = 30_000

export class SignedInSecrets implements SignedInTokens {
  readonly #parts: SignedInParts
  readonly #renewing = new Map<string, Promise<Tokens | undefined>>()

  constructor(parts: SignedInParts) {
    this.#parts = parts
  }

  async of(person: string, issuer: string, type: Subject['type']): Promise<string | undefined> {
    const kept = await this.#find(person, issuer)
    if (kept === undefined) return undefined
    const tokens = this.#isGood(kept, type) ? kept : await this.#renewed(person, issuer, type)
    return tokens !== undefined && this.#lives(tokens, type) ? tokens[type] : undefined
  }

  async #find(person: string, issuer: string): Promise<Tokens | undefined> {
    const kept = await this.#parts.vault.get(signInPlace(person, issuer))
    return kept === undefined ? undefined : read(kept.content)
  }

  #lives(tokens: Tokens, type: Subject['type']): boolean {
    return lives(type === 'id_token' ? idEnd(tokens) : accessEnd(tokens), this.#parts.clock.now())
  }

  /**
   * The token that is wanted is good, or there is nothing to renew it with. The other one does not matter: not every issuer gives a
   * new ID token with a new access token, and asking for one at each call would help nobody.
   */
  #isGood(tokens: Tokens, type: Subject['type']): boolean {
    return tokens.refresh_token === undefined || this.#lives(tokens, type)
  }

  async #renewed(person: string, issuer: string, type: Subject['type']): Promise<Tokens | undefined> {
    const name = `renewing sign-in ${JSON.stringify([person, issuer])}`
    let renewing = this.#renewing.get(name)
    if (renewing === undefined) {
      renewing = renewedAlone<Tokens | undefined>(this.#parts, {
        name,
        look: () => this.#find(person, issuer),
        isGood: (tokens) => tokens === undefined || this.#isGood(tokens, type),
        renew: async (tokens) => (tokens === undefined ? undefined : this.#renew(person, issuer, tokens)),
      })
        .then((done) => done?.kept)
        .finally(() => this.#renewing.delete(name))
      this.#renewing.set(name, renewing)
    }
    return renewing
  }

  async #renew(person: string, issuer: string, tokens: Tokens): Promise<Tokens | undefined> {
    const { vault, clock, issuerAt, issued, logger } = this.#parts
    const place = signInPlace(person, issuer)
    const isStill = (content: string): boolean => JSON.stringify(read(content)) === JSON.stringify(tokens)
    try {
      const at = await issuerAt(issuer)
      const parameters = new URLSearchParams({ refresh_token: tokens.refresh_token ?? '' })
      const given = await requestToken(at, 'refresh_token', parameters, { now: clock.now(), signal: AbortSignal.timeout(15_000) })
      const next: Tokens = {
        id_token: given.idToken ?? tokens.id_token,
        access_token: given.token,
        access_token_expires: given.expires,
        refresh_token: given.refresh ?? tokens.refresh_token,
      }
      // Signing in again meanwhile counts more.
      await changeSecret(vault, place, (before) => (isStill(before) ? JSON.stringify(next) : undefined))
      return await this.#find(person, issuer)
    } catch (error) {
      const reason = error instanceof TokenRefused ? error.reason : 'unreachable'
      logger.warn({ issuer, reason }, 'what signing in has left could not be renewed')
      if (reason !== 'invalid_grant') throw error
      await changeSecret(vault, place, (before) => (isStill(before) ? '{}' : undefined))
      issued.cut(person)
      return undefined
    }
  }
}

function read(content: string): Tokens | undefined {
  try {
    return tokensSchema.safeParse(JSON.parse(content)).data
  } catch {
    return undefined
  }
}

function lives(end: number | undefined, now: number): boolean {
  return end === undefined || now < end - marginMs
}

function accessEnd({ access_token: token, access_token_expires: expires }: Tokens): number | undefined {
  return token === undefined ? 0 : (expires ?? endOf(token))
}

function idEnd({ id_token: token }: Tokens): number | undefined {
  return token === undefined ? 0 : endOf(token)
}

function endOf(token: string): number | undefined {
  const end = claimsOf(token)?.exp
  return typeof end === 'number' ? end * 1000 : undefined
}
