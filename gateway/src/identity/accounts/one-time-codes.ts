/** One-time codes (TOTP, RFC 6238) and the recovery codes for whoever has lost the device that makes them. */
import { hkdfSync, randomBytes } from 'node:crypto'
import { Secret, TOTP } from 'otpauth'
import { keyedHash } from '../../core/hash.ts'
import { openBytes, sealBytes } from '../../core/sealed-bytes.ts'

const periodSeconds = 30
const secretBytes = 20
const recoveryCount = 10
/** Without letters and digits that look like others. */
const recoveryAlphabet = 'abcdefghjkmnpqrstuvwxyz23456789'

export class OneTimeCodes {
  readonly #secret: Uint8Array
  readonly #key: Uint8Array

  /** `secret`: of the installation. */
  constructor(secret: Uint8Array) {
    this.#secret = secret
    this.#key = Buffer.from(hkdfSync('sha256', secret, 'turnward', 'one-time codes v1', 32))
  }

  /** A new secret, base32. */
  newSecret(): string {
    return new Secret({ buffer: new Uint8Array(randomBytes(secretBytes)).buffer }).base32
  }

  /** A secret as it is kept. `boundTo`: the person, or the link that it is shown with. */
  seal(secret: string, boundTo: string): string {
    return sealBytes(this.#key, Buffer.from(boundTo), Buffer.from(secret))
  }

  /** Undefined for what was not sealed here for the same. */
  open(sealed: string, boundTo: string): string | undefined {
    return openBytes(this.#key, Buffer.from(boundTo), sealed)?.toString('utf8')
  }

  /** The time step whose code this is: the present one, or the one before or after it; undefined for none of them. */
  stepOf(secret: string, code: string, now: number): number | undefined {
    if (!/^[0-9]{6}$/.test(code)) return undefined
    const delta = totp(secret, '').validate({ token: code, timestamp: now, window: 1 })
    return delta === null ? undefined : Math.floor(now / 1000 / periodSeconds) + delta
  }

  /** What an application reads: `otpauth://totp/…`. */
  addressOf(secret: string, name: string): string {
    return totp(secret, name).toString()
  }

  newRecoveryCodes(): readonly string[] {
    return Array.from({ length: recoveryCount }, () => `${randomLetters(5)}-${randomLetters(5)}`)
  }

  /** What is kept of a recovery code. */
  recoveryHash(person: string, code: string): string {
    return keyedHash(this.#secret, 'recovery code v1', person, code.toLowerCase().replaceAll(/[^a-z0-9]/g, ''))
  }
}

function totp(secret: string, label: string): TOTP {
  return new TOTP({ issuer: 'Turnward', label, algorithm: 'SHA1', digits: 6, period: periodSeconds, secret: Secret.fromBase32(secret) })
}

function randomLetters(count: number): string {
  let text = ''
  // 248 is the largest multiple of 31 in a byte.
  while (text.length < count)
    for (const byte of randomBytes(count)) if (byte < 248 && text.length < count) text += recoveryAlphabet[byte % 31]
  return text
}
