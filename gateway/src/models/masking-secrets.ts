/**
 * Upstreams quote what they were sent, in errors most of all. The secrets of this very call are known, so they are
 * taken out of everything that is passed on of an error. Answers are left alone: they are the vendor's, byte for byte.
 */

const mask = Buffer.from('[hidden]')
/** A shorter value would be found in ordinary words. */
const shortestSecret = 6

/** The bytes without the secrets. */
export function maskSecrets(bytes: Buffer, secrets: readonly string[]): Buffer {
  let masked = bytes
  for (const secret of secrets) {
    if (secret.length >= shortestSecret) masked = replaceAll(masked, Buffer.from(secret))
  }
  return masked
}

/** The text without the secrets. */
export function maskSecretText(text: string, secrets: readonly string[]): string {
  return secrets.reduce((masked, secret) => (secret.length >= shortestSecret ? masked.replaceAll(secret, mask.toString()) : masked), text)
}

function replaceAll(bytes: Buffer, secret: Buffer): Buffer {
  const parts: Buffer[] = []
  let from = 0
  for (let at = bytes.indexOf(secret); at !== -1; at = bytes.indexOf(secret, from)) {
    parts.push(bytes.subarray(from, at), mask)
    from = at + secret.length
  }
  return from === 0 ? bytes : Buffer.concat([...parts, bytes.subarray(from)])
}
