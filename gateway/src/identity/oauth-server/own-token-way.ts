/**
 * The way of access tokens that our own authorization server gave out. It tells whose matter a token is; what verifies one is
 * loaded with the first that is ours.
 */
import { publicUrl } from '../../config/public-url.ts'
import type { Snapshot } from '../../config/snapshot.ts'
import { sha256 } from '../../core/hash.ts'
import { isObject } from '../../core/json.ts'
import { parseJson } from '../../core/parse-json.ts'
import { presentedCredentials, type PresentedToken } from '../ways/presented-credentials.ts'
import type { Identity, Presented, Way } from '../ways/way.ts'

/** Name of our own server among the issuers. */
export const ownIssuer = 'turnward'
/** How what is kept of a caller of this way begins. */
export const laterStart = 'oauth:'
/** In characters; what is longer is none of ours. */
export const longestToken = 8192

/** The id of every access token of a grant: it ends them all, and what is under way with them. */
export function tokenIdOf(grant: string): string {
  return `tok_${sha256(`grant ${grant}`).slice(0, 22)}`
}

/** Verifies tokens of ours. Both reject with `auth.*`. */
export interface OwnTokens {
  find(token: PresentedToken, presented: Presented, snapshot: Snapshot): Promise<Identity>
  /** `later`: of an identity, without its beginning. */
  findLater(later: string, snapshot: Snapshot): Promise<Identity>
}

export interface OwnTokenWayOptions {
  readonly ownTokens?: (() => Promise<OwnTokens>) | undefined
}

/** A token of another issuer is not looked at. */
export function createOwnTokenWay({ ownTokens }: OwnTokenWayOptions): Way {
  return {
    name: 'token',
    find(presented, snapshot) {
      if (ownTokens === undefined || snapshot.identity?.oauth === undefined) return undefined
      const { token } = presentedCredentials(presented.headers, snapshot)
      if (token === undefined || issuerOf(token.text) !== publicUrl(snapshot)) return undefined
      return ownTokens().then((tokens) => tokens.find(token, presented, snapshot))
    },
    async findLater(later, snapshot) {
      if (ownTokens === undefined || !later.startsWith(laterStart)) return undefined
      return (await ownTokens()).findLater(later.slice(laterStart.length), snapshot)
    },
  }
}

/** `iss` of a token as it says itself, to see whose matter it is; undefined for what cannot be read. */
function issuerOf(token: string): string | undefined {
  if (token.length > longestToken) return undefined
  try {
    const payload: unknown = parseJson(Buffer.from(token.split('.', 2)[1] ?? '', 'base64url').toString())
    return isObject(payload) && typeof payload.iss === 'string' ? payload.iss : undefined
  } catch {
    return undefined
  }
}
