/**
 * What an issuer gave for a person who signed in, kept in the vault for exchanges with the same issuer: kind `sign_in`, owned by
 * the person, named after the issuer. Nothing else reads it, and no page shows it.
 */
import type { SecretPlace } from '../../../store/sealed-secrets.ts'
import type { Vault } from '../../vault/vault.ts'
import type { IssuerTokens } from './relying-parties.ts'

/** Where the tokens of a person's sign-in at an issuer are. */
export function signInPlace(person: string, issuer: string): SecretPlace {
  return { kind: 'sign_in', owner: person, name: issuer }
}

/** As JSON: `id_token`, `refresh_token`, `access_token`, `access_token_expires` (Unix milliseconds). Longer than the vault takes is left out, the access token first. */
export async function keepIssuerTokens(vault: Pick<Vault, 'put'>, person: string, issuer: string, tokens: IssuerTokens): Promise<void> {
  const { idToken, refreshToken, accessToken, accessTokenExpires } = tokens
  const needed = { id_token: idToken, ...(refreshToken === undefined ? {} : { refresh_token: refreshToken }) }
  const all = {
    ...needed,
    access_token: accessToken,
    ...(accessTokenExpires === undefined ? {} : { access_token_expires: accessTokenExpires }),
  }
  const content = [all, needed].map((kept) => JSON.stringify(kept)).find((text) => text.length <= longestContent)
  if (content !== undefined) await vault.put(signInPlace(person, issuer), content)
}

const longestContent = 60_000
