/** Whether a token is signed by its issuer: with an algorithm that is allowed there, by a key that the issuer has now. */
import type { compactVerify } from 'jose'
import type { Issuer } from '../../../core/issuer.ts'
import { refused, type CompactToken } from './compact-token.ts'
import type { IssuerKeys } from './issuer-keys.ts'
import type { SigningKey } from './signing-keys.ts'

/** Loaded with the first token, and once: asking for a module that is there still takes a tenth of what a signature does. */
let library: Promise<{ readonly compactVerify: typeof compactVerify }> | undefined

/** Resolves with the key. Rejects with `auth.invalid_token`, or with what `keys` rejects with. */
export async function checkSignature({ text, algorithm, keyId }: CompactToken, issuer: Issuer, keys: IssuerKeys): Promise<SigningKey> {
  if (!issuer.algorithms.includes(algorithm))
    throw refused('it is signed with an algorithm that is not among the `algorithms` of its issuer', issuer.name)
  const key = await keys.keyFor(keyId, algorithm)
  if (key === undefined) throw refused('it is signed with none of the keys of its issuer', issuer.name)
  const { compactVerify: verify } = await (library ??= import('jose'))
  await verify(text, key.key, { algorithms: [algorithm] }).catch(() => {
    throw refused('its signature is not that of its issuer', issuer.name)
  })
  return key
}
