/** How this gateway proves at a token endpoint which client it is. */
import { createPrivateKey, type JsonWebKey, type KeyObject, type webcrypto } from 'node:crypto'
import * as oauth from 'oauth4webapi'

/** As `client` is configured. */
export interface ClientProof {
  readonly secret?: string | undefined
  /** PEM (PKCS #8) or JWK. */
  readonly private_key?: string | undefined
  readonly key_id?: string | undefined
  /** Default: what the key is for; RS256 for one of RSA. */
  readonly algorithm?: string | undefined
  readonly auth?: 'basic' | 'post' | 'private_key_jwt' | 'none' | undefined
}

/** Throws for a key that cannot be read, or of a kind that assertions are not signed with. */
export function clientAuthentication({ secret, private_key: key, key_id: kid, algorithm, auth }: ClientProof): oauth.ClientAuth {
  const how = auth ?? (key !== undefined ? 'private_key_jwt' : secret === undefined ? 'none' : 'basic')
  if (how === 'none') return oauth.None()
  if (how === 'private_key_jwt') {
    const signing = signingKey(readKey(key ?? ''), algorithm)
    return oauth.PrivateKeyJwt(kid === undefined ? signing : { key: signing, kid })
  }
  return how === 'post' ? oauth.ClientSecretPost(secret ?? '') : basic(secret ?? '')
}

const curves: Readonly<Record<string, string>> = { prime256v1: 'P-256', secp384r1: 'P-384', secp521r1: 'P-521' }

/**
 * RFC 6749, section 2.3.1, encoding no more than forms do: there are authorization servers that take what is sent as it is, and for
 * ids and secrets of letters, digits, `-`, `.` and `_` that is the same.
 */
function basic(secret: string): oauth.ClientAuth {
  const encoded = (text: string): string => new URLSearchParams([['', text]]).toString().slice(1)
  return (_server, { client_id: id }, _body, headers) =>
    headers.set('authorization', `Basic ${Buffer.from(`${encoded(id)}:${encoded(secret)}`).toString('base64')}`)
}

/** Throws without quoting it. */
function readKey(text: string): KeyObject {
  try {
    if (text.trimStart().startsWith('{')) return createPrivateKey({ key: JSON.parse(text) as JsonWebKey, format: 'jwk' })
    return createPrivateKey(text)
  } catch {
    throw new TypeError('`private_key` is neither PEM (PKCS #8) nor a JWK')
  }
}

function signingKey(key: KeyObject, algorithm: string | undefined): webcrypto.CryptoKey {
  if (key.asymmetricKeyType === 'ec') {
    const namedCurve = curves[key.asymmetricKeyDetails?.namedCurve ?? ''] ?? ''
    return key.toCryptoKey({ name: 'ECDSA', namedCurve }, false, ['sign'])
  }
  if (key.asymmetricKeyType === 'ed25519') return key.toCryptoKey('Ed25519', false, ['sign'])
  return key.toCryptoKey({ name: algorithm === 'PS256' ? 'RSA-PSS' : 'RSASSA-PKCS1-v1_5', hash: 'SHA-256' }, false, ['sign'])
}
