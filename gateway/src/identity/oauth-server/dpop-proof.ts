/** Proofs that whoever shows a token has the key it is bound to (RFC 9449, section 7): for this request, fresh, and shown once. */
import { hash } from 'node:crypto'
import { calculateJwkThumbprint, EmbeddedJWK, jwtVerify } from 'jose'
import type { Clock } from '../../core/clock.ts'
import { TurnwardError } from '../../core/error.ts'
import { sha256 } from '../../core/hash.ts'
import type { StateStore } from '../../state/state-store.ts'
import type { Presented } from '../ways/way.ts'

export interface ProofPlaces {
  readonly state: Pick<StateStore, 'change'>
  readonly clock: Clock
}

export interface ProofWanted {
  readonly presented: Presented
  readonly token: string
  /** Thumbprint of the key (RFC 7638). */
  readonly boundTo: string
  /** What was called, without its query. */
  readonly uri: string
}

const algorithms = ['ES256', 'Ed25519', 'EdDSA']
const freshSeconds = 60
const longestProof = 4096

/** Rejects with `auth.invalid_token` for a request without one proof that fits. */
export async function checkProof({ state, clock }: ProofPlaces, { presented, token, boundTo, uri }: ProofWanted): Promise<void> {
  const proof = presented.headers['dpop']
  if (typeof proof !== 'string' || proof.length > longestProof || proof.includes(','))
    throw refused('one proof is needed in the header `dpop`')
  const { payload, protectedHeader } = await jwtVerify(proof, EmbeddedJWK, {
    typ: 'dpop+jwt',
    algorithms,
    currentDate: new Date(clock.now()),
    requiredClaims: ['jti', 'htm', 'htu', 'iat', 'ath'],
  }).catch((cause: unknown) => {
    throw refused('the proof is not good', cause)
  })
  const { jti, htm, htu, iat = 0, ath } = payload
  const { jwk } = protectedHeader
  if (jwk === undefined || (await calculateJwkThumbprint(jwk)) !== boundTo) throw refused('the proof is made with another key')
  if (htm !== presented.method || typeof htu !== 'string' || plainUri(htu) !== uri) throw refused('the proof is for another request')
  if (ath !== hash('sha256', token, 'base64url')) throw refused('the proof is for another token')
  if (Math.abs(clock.now() / 1000 - iat) > freshSeconds) throw refused('the proof is too old, or a clock is wrong')
  const until = (iat + 2 * freshSeconds) * 1000
  const isNew = await state.change('oauth', `proof:${sha256(`${boundTo} ${jti}`)}`, (before) =>
    before === undefined
      ? { value: { sealed: '', until }, expires: until, result: true }
      : { value: before, expires: until, result: false },
  )
  if (!isNew) throw refused('the proof was shown before')
}

/** RFC 9449, section 4.3: query and fragment do not count. */
function plainUri(text: string): string | undefined {
  const url = URL.parse(text)
  return url === null ? undefined : `${url.origin}${url.pathname}`
}

function refused(why: string, cause?: unknown): TurnwardError {
  return new TurnwardError('auth.invalid_token', { why, fix: 'Send a new proof with every request (RFC 9449).', cause })
}
