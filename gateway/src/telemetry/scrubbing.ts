/**
 * Takes secrets out of whatever is about to be logged: by the name of a field and by the look of a value, at any
 * depth. It bounds depth, width and length, so that a log line cannot be made large by what it reports.
 */

const redacted = '[redacted]'
const maxDepth = 6
const maxEntries = 64
const maxString = 8192
const secretField = /authorization|apikey|cookie|secret|token|password|passphrase|privatekey/
// Each alternative starts at a fixed text and repeats one class, so matching stays linear.
const secretValue =
  /\btw_[\w-]{6,}|\bsk-[\w-]{6,}|\b(?:bearer|basic) +[\w.~+/=-]{6,}|\beyJ[\w-]{8,}\.[\w-]+(?:\.[\w-]*)?|\bAIza[\w-]{20,}|\b(?:AKIA|ASIA)[A-Z0-9]{12,}|\bgh[pousr]_\w{16,}|(?<=:\/\/)[^\s/@]{1,256}@/gi

/** The text without anything that looks like a credential, cut to 8192 characters. */
export function scrubText(text: string): string {
  // Cut after scrubbing, but of a bounded input: a secret must not survive because the cut made it unrecognisable.
  const input = text.length > 4 * maxString ? text.slice(0, 4 * maxString) : text
  const clean = input.replace(secretValue, redacted)
  return clean.length > maxString ? `${clean.slice(0, maxString)}…` : clean
}

/** A copy that is safe to log. Errors become `type`, `message`, `code`, `stack` and `cause`. Never throws. */
export function scrub(value: unknown): unknown {
  return scrubAt(value, 0)
}

/** True for a field whose value is a secret whatever it looks like. Numbers in it (`max_tokens`) are not. */
export function isSecretField(name: string): boolean {
  return secretField.test(name.toLowerCase().replace(/[-_.\s]/g, ''))
}

function scrubAt(value: unknown, depth: number): unknown {
  if (typeof value === 'string') return scrubText(value)
  if (typeof value === 'bigint') return value.toString()
  if (typeof value === 'function' || typeof value === 'symbol') return undefined
  if (typeof value !== 'object' || value === null) return value
  if (depth >= maxDepth) return '[too deep]'
  if (value instanceof Error) return scrubError(value, depth)
  if (value instanceof Date) return Number.isNaN(value.valueOf()) ? null : value.toISOString()
  if (ArrayBuffer.isView(value)) return `[${value.byteLength} bytes]`
  if (Array.isArray(value)) return value.slice(0, maxEntries).map((item) => scrubAt(item, depth + 1))
  const entries = value instanceof Map ? [...value].map(([key, item]) => [String(key), item] as const) : Object.entries(value)
  return Object.fromEntries(
    entries
      .slice(0, maxEntries)
      .map(([name, item]) => [scrubText(name), isSecretField(name) && !isHarmless(item) ? redacted : scrubAt(item, depth + 1)]),
  )
}

function scrubError(error: Error, depth: number): Record<string, unknown> {
  const code = 'code' in error && (typeof error.code === 'string' || typeof error.code === 'number') ? { code: error.code } : {}
  return {
    type: error.name,
    message: scrubText(error.message),
    ...code,
    ...(error.stack === undefined ? {} : { stack: scrubText(error.stack) }),
    ...(error.cause === undefined ? {} : { cause: scrubAt(error.cause, depth + 1) }),
  }
}

function isHarmless(value: unknown): boolean {
  return value === null || value === undefined || typeof value === 'number' || typeof value === 'boolean'
}
