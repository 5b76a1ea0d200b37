/**
 * Whom a request is for, as vendors take it: they refuse addresses and telephone numbers, and what is too long. A hash of
 * it tells their abuse desks as much.
 */
import { sha256 } from '../../core/hash.ts'

const harmless = /^[a-zA-Z0-9_.:-]+$/
/** As many digits in a row as a telephone number has. */
const numberLike = /\d{10,}/

/** The id itself where a vendor takes it, else a hash of it that is the same every time. */
export function acceptedUser(user: string, maxLength: number): string {
  if (user.length <= maxLength && harmless.test(user) && !numberLike.test(user)) return user
  // Letters only, for a row of digits is what such a check looks for.
  const letters = sha256(user)
    .slice(0, 32)
    .replace(/[0-9]/g, (digit) => 'ghijklmnop'.charAt(Number(digit)))
  return `user_${letters}`
}
