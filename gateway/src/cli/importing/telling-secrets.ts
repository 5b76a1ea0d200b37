/**
 * Which values of a client's file are secrets. Whoever wrote the file did not say, so what is not plainly harmless counts as
 * one: a variable too many can be set, a key in a configuration file cannot be taken back.
 */
import { looksSecret } from '../../config/masking.ts'

const secretName =
  /key|token|secret|passw|pwd|credential|auth|private|dsn|cookie|session|bearer|signature|webhook|conn|(?:^|[_-])(?:pat|pin|pass|jwt)(?:$|[_-])/i
const yesOrNo = /^(?:true|false|yes|no|on|off|0|1|none|null)?$/i
const number = /^-?\d{1,8}(?:\.\d{1,8})?$/
/** Up to three words: `info`, `us-east-1`, `en_US.UTF-8`. One that mixes letters and digits is none. */
const fewWords = /^(?:[A-Za-z]{1,14}|\d{1,4})(?:[-_./: ](?:[A-Za-z]{1,14}|\d{1,4})){0,2}$/

const locale = /^[a-z]{2}_[A-Z]{2}(?:\.[\w-]{1,12})?$/

/** Whether a name says that its value is a secret: of a variable, a header, an option, a field of a query. */
export function isSecretName(name: string): boolean {
  return secretName.test(name)
}

/** Whether a value under this name may be written down. */
export function isHarmless(name: string, value: string): boolean {
  if (yesOrNo.test(value)) return true
  if (isSecretName(name) || looksSecret(value)) return false
  return number.test(value) || fewWords.test(value) || locale.test(value) || isPath(value) || isPlainAddress(value)
}

/** Whether an argument is a secret by itself, whatever stands before it. */
export function isSecretArgument(value: string): boolean {
  if (isPath(value)) return false
  if (/^[a-z][a-z0-9+.-]*:\/\//i.test(value)) return !isPlainAddress(value)
  return looksSecret(value) || /(?<![\w/.@-])(?=[A-Za-z_]*\d)(?=[\d_]*[A-Za-z])\w{16,}/.test(value)
}

/** An address without a user, a query, a fragment, or a part of its path that could be a key. */
export function isPlainAddress(value: string): boolean {
  const [, authority = '', path = ''] = /^[a-z][a-z0-9+.-]*:\/\/([^/?#]*)([^?#]*)$/i.exec(value) ?? []
  if (authority === '' || authority.includes('@')) return false
  return path.split('/').every((part) => part.length <= 40 && !(part.length >= 16 && /\d/.test(part) && /[a-z]/i.test(part)))
}

function isPath(value: string): boolean {
  return /^(?:~?\/|\.\.?\/|[A-Za-z]:[\\/])[^\n]*$/.test(value) && !looksSecret(value)
}
