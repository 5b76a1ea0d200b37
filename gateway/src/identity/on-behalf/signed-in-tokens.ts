/**
 * What issuers gave when people signed in there, kept sealed for exchanges with the same issuer: renewed when it has ended, shown to
 * nobody else.
 */
import { z } from 'zod'
import type { Logger } from '../../core/logger.ts'
import type { PersonTokens } from './person-tokens.ts'
import { renewedAlone, type RenewingParts } from './renewing-alone.ts'
import { changeSecret, type SecretPlace, type SecretVault } from './secret-vault.ts'
import { claimsOf } from './subject.ts'
import type { SignedInTokens } from './subject-source.ts'
import type { TokenEndpoint } from './token-endpoint.ts'
import { requestToken, TokenRefused } from './token-request.ts'

/** Tokens of an issuer. Times are Unix milliseconds. */
export interface KeptTokens {
  readonly idToken: string
  readonly accessToken: string
  readonly accessTokenExpires: number | undefined
  readonly refreshToken: string | undefined
}

export interface SignedInParts extends RenewingParts {
  readonly vault: SecretVault
  readonly logger: Logger
  /** What was issued for persons, which does not outlive what it was issued for. */
  readonly issued: Pick<PersonTokens, 'cut'>
  /** Rejects when the issuer cannot be asked. */
  readonly issuerAt: (issuer: string) => Promise<TokenEndpoint>
}

const tokensSchema = z.object({
  idToken: z.string(),
  accessToken: z.string(),
  accessTokenExpires: z.number().optional(),
  refreshToken: z.string().optional(),
})
type Tokens = z.output<typeof tokensSchema>

const marginMs = 30_000

export class SignedInSecrets implements SignedInTokens {
  readonly #parts: SignedInParts
  readonly #renewing = new Map<string, Promise<Tokens | undefined>>()

  constructor(parts: SignedInParts) {
    this.#parts = parts
  }

  /** Keeps what an issuer gave, in place of what it gave before. */
  async keep(person: string, issuer: string, tokens: KeptTokens): Promise<void> {
    await this.#parts.vault.put(placeOf(person, issuer), JSON.stringify(tokens))
  }

  async of(
    person: string,
    issuer: string,
  ): Promise<{ readonly access?: string | undefined; readonly id?: string | undefined } | undefined> {
    const kept = await this.#find(person, issuer)
    if (kept === undefined) return undefined
    const tokens = this.#isGood(kept) ? kept : await this.#renewed(person, issuer)
    if (tokens === undefined) return undefined
    const now = this.#parts.clock.now()
    return {
      access: lives(accessEnd(tokens), now) ? tokens.accessToken : undefined,
      id: lives(idEnd(tokens), now) ? tokens.idToken : undefined,
    }
  }

  async #find(person: string, issuer: string): Promise<Tokens | undefined> {
    const kept = await this.#parts.vault.get(placeOf(person, issuer))
    return kept === undefined ? undefined : read(kept.content)
  }

  /** Both tokens are good, or there is nothing to renew them with. */
  #isGood(tokens: Tokens): boolean {
    const now = this.#parts.clock.now()
    return tokens.refreshToken === undefined || (lives(accessEnd(tokens), now) && lives(idEnd(tokens), now))
  }

  async #renewed(person: string, issuer: string): Promise<Tokens | undefined> {
    const name = `renewing sign-in ${JSON.stringify([person, issuer])}`
    let renewing = this.#renewing.get(name)
    if (renewing === undefined) {
      renewing = renewedAlone<Tokens | undefined>(this.#parts, {
        name,
        look: () => this.#find(person, issuer),
        isGood: (tokens) => tokens === undefined || this.#isGood(tokens),
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
    const place = placeOf(person, issuer)
    const isStill = (content: string): boolean => JSON.stringify(read(content)) === JSON.stringify(tokens)
    try {
      const at = await issuerAt(issuer)
      const parameters = new URLSearchParams({ refresh_token: tokens.refreshToken ?? '' })
      const given = await requestToken(at, 'refresh_token', parameters, { now: clock.now(), signal: AbortSignal.timeout(15_000) })
      const next: Tokens = {
        idToken: given.idToken ?? tokens.idToken,
        accessToken: given.token,
        accessTokenExpires: given.expires,
        refreshToken: given.refresh ?? tokens.refreshToken,
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

function placeOf(person: string, issuer: string): SecretPlace {
  return { kind: 'sign_in', owner: person, name: issuer }
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

function accessEnd({ accessToken, accessTokenExpires }: Tokens): number | undefined {
  return accessTokenExpires ?? endOf(accessToken)
}

function idEnd({ idToken }: Tokens): number | undefined {
  return endOf(idToken)
}

function endOf(token: string): number | undefined {
  const end = claimsOf(token)?.exp
  return typeof end === 'number' ? end * 1000 : undefined
}
