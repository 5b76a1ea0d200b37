/**
 * The public keys of an issuer, of a set as it was published (RFC 7517), and which of them a token must be signed with. A key is
 * good for signatures only, for one algorithm only, and found by its id within its issuer only. Pure but for reading the keys.
 */
import { createPublicKey, type JsonWebKey, type KeyObject } from 'node:crypto'
import { digestJson } from '../../../core/hash.ts'
import { isObject, type JsonObject } from '../../../core/json.ts'

export interface SigningKey {
  readonly id: string | undefined
  readonly key: KeyObject
  /** Algorithms a signature with it may have. */
  readonly algorithms: readonly string[]
  /** What it is, so that the same key of a later set is the same. */
  readonly digest: string
}

export interface SigningKeys {
  readonly all: readonly SigningKey[]
  readonly byId: ReadonlyMap<string, readonly SigningKey[]>
}

const mostKeys = 100
const leastRsaBits = 2048
const rsa = ['RS256', 'RS384', 'RS512', 'PS256', 'PS384', 'PS512']
const curves: Readonly<Record<string, string>> = { 'P-256': 'ES256', 'P-384': 'ES384', 'P-521': 'ES512', Ed25519: 'EdDSA' }
/** The public members of each kind; whatever else is published with them is left alone. */
const publicMembers: Readonly<Record<string, readonly string[]>> = { RSA: ['n', 'e'], EC: ['crv', 'x', 'y'], OKP: ['crv', 'x'] }

/**
 * The keys of a document that signatures can be checked with; others in it are passed over. A key that was in `before` is the
 * same object. Throws for what is no key set.
 */
export function readSigningKeys(document: unknown, before?: SigningKeys): SigningKeys {
  if (!isObject(document) || !Array.isArray(document.keys)) throw new Error('it is not a key set')
  if (document.keys.length > mostKeys) throw new Error(`it has more than ${mostKeys} keys`)
  const known = new Map(before?.all.map((key) => [key.digest, key]))
  // One that is published twice is one.
  const read = document.keys.flatMap((entry) => (isObject(entry) ? (readKey(entry, known) ?? []) : []))
  const all = [...new Map(read.map((key) => [key.digest, key])).values()]
  const byId = new Map<string, SigningKey[]>()
  for (const key of all) if (key.id !== undefined) byId.set(key.id, [...(byId.get(key.id) ?? []), key])
  return { all, byId }
}

/** The one key a token with this `kid` and algorithm can be signed with; undefined where there is none, or more than one. */
export function keyFor(keys: SigningKeys, keyId: string | undefined, algorithm: string): SigningKey | undefined {
  const candidates = keyId === undefined ? keys.all : (keys.byId.get(keyId) ?? [])
  const [key, ...others] = candidates.filter(({ algorithms }) => algorithms.includes(algorithm))
  return others.length === 0 ? key : undefined
}

function readKey(entry: JsonObject, known: ReadonlyMap<string, SigningKey>): SigningKey | undefined {
  const { kty, kid, use, key_ops: operations } = entry
  if (use !== undefined && use !== 'sig') return undefined
  if (operations !== undefined && !(Array.isArray(operations) && operations.includes('verify'))) return undefined
  const members = typeof kty === 'string' ? publicMembers[kty] : undefined
  if (members === undefined || (kid !== undefined && typeof kid !== 'string')) return undefined
  const algorithms = algorithmsOf(entry)
  if (algorithms.length === 0) return undefined
  const jwk = Object.fromEntries(['kty', ...members].map((name) => [name, entry[name]]))
  const digest = digestJson({ ...jwk, kid: kid ?? null, algorithms })
  const same = known.get(digest)
  if (same !== undefined) return same
  try {
    const key = createPublicKey({ key: jwk as JsonWebKey, format: 'jwk' })
    if (key.asymmetricKeyType === 'rsa' && (key.asymmetricKeyDetails?.modulusLength ?? 0) < leastRsaBits) return undefined
    return { id: kid, key, algorithms, digest }
  } catch {
    return undefined
  }
}

/** What its kind can do, and of that what it was published for. */
function algorithmsOf({ kty, crv, alg }: JsonObject): readonly string[] {
  const curve = typeof crv === 'string' ? curves[crv] : undefined
  const possible = kty === 'RSA' ? rsa : curve === undefined ? [] : [curve]
  // RFC 9864 gives EdDSA with this curve a name of its own.
  const published = alg === 'Ed25519' ? 'EdDSA' : alg
  return published === undefined ? possible : possible.filter((one) => one === published)
}
