/**
 * The kind `secrets`: keys and tokens in the formats their makers gave them. A format that has a checksum is checked; one that has
 * none has a beginning that nothing else has.
 */
import { crc32 } from 'node:zlib'
import type { GuardConfig } from '@turnward/contract/config'
import { lastRun } from './findings.ts'
import type { Inspector } from './guard.ts'
import { findFormats, type KnownFormat } from './known-formats.ts'

type SecretsConfig = Extract<GuardConfig, { kind: 'secrets' }>
type FormatName = SecretsConfig['formats'][number]
type Format = Pick<KnownFormat, 'source' | 'isOne'>

const formats: Readonly<Record<FormatName, Format | readonly Format[]>> = {
  'private-key': {
    source: String.raw`-----BEGIN (?:[A-Z0-9]+ ){0,3}PRIVATE KEY(?: BLOCK)?-----(?:[A-Za-z0-9+/=\s:,\\]*(?:-----END [A-Z0-9 ]+-----)?)`,
  },
  jwt: { source: String.raw`\beyJ[\w-]{8,}\.eyJ[\w-]{8,}\.[\w-]{16,}`, isOne: hasTokenHead },
  'aws-access-key': { source: String.raw`\b(?:AKIA|ASIA|ABIA|ACCA)[A-Z2-7]{16}\b` },
  'github-token': [
    { source: String.raw`\bgh[pousr]_[A-Za-z0-9]{36}\b`, isOne: hasChecksum },
    { source: String.raw`\bgithub_pat_[A-Za-z0-9]{22}_[A-Za-z0-9]{59}\b` },
  ],
  'gitlab-token': { source: String.raw`\bgl(?:pat|dt|rt|cbt|ptt|ft|soat)-[\w-]{20,}` },
  'slack-token': [
    { source: String.raw`\bxox[abeoprs]-[A-Za-z0-9-]{10,}` },
    { source: String.raw`hooks\.slack\.com/(?:services|workflows)/[A-Za-z0-9/]{20,}` },
  ],
  'stripe-key': { source: String.raw`\b[rs]k_(?:live|test)_[A-Za-z0-9]{16,}` },
  'openai-key': { source: String.raw`\bsk-(?:proj-|svcacct-|admin-)?[\w-]{20,}`, isOne: isOpenaiKey },
  'anthropic-key': { source: String.raw`\bsk-ant-(?:api|admin|oat|ort)\d{2}-[\w-]{20,}` },
  'google-api-key': [{ source: String.raw`\bAIza[\w-]{35}` }, { source: String.raw`\bGOCSPX-[\w-]{28}` }],
  'npm-token': { source: String.raw`\bnpm_[A-Za-z0-9]{36}\b`, isOne: hasChecksum },
  'pypi-token': { source: String.raw`\bpypi-AgE[\w-]{50,}` },
  'huggingface-token': { source: String.raw`\bhf_[A-Za-z]{34}\b` },
  'sendgrid-key': { source: String.raw`\bSG\.[\w-]{22}\.[\w-]{43}` },
  'twilio-key': { source: String.raw`\bSK[0-9a-f]{32}\b` },
  'turnward-key': { source: String.raw`\btw_[A-Za-z0-9_]{20,}` },
  'url-password': { source: String.raw`(?i)\b[a-z][a-z0-9+.-]+://[^\s:/?#@"'<>\[\]{}]*:[^\s:/?#@"'<>]{3,}@`, isOne: hasPassword },
}

/** Longer ones are found by what they begin with. */
const longestHeld = 4096
const longestBlock = 16 * 1024

export function inspectSecrets({ formats: names }: SecretsConfig): Inspector {
  const wanted = names.flatMap((name) =>
    [formats[name]].flat().map((format): KnownFormat => ({ what: name, instead: () => `[secret: ${name}]`, ...format })),
  )
  return {
    find: findFormats(wanted),
    openFrom(text) {
      // A key of several lines is open until it ends, and so is what may become its first line.
      const block = text.lastIndexOf('-----BEGIN ')
      const isOpen = block >= 0 && text.length - block < longestBlock && !/-----END [A-Z0-9 ]{1,60}-----/.test(text.slice(block))
      const line = text.slice(-40).search(/-{1,5}(?:B[A-Z0-9 ]{0,30})?$/)
      return Math.min(
        lastRun(text, longestHeld, (character) => /[!-~]/.test(character)),
        line < 0 ? text.length : Math.max(0, text.length - 40) + line,
        isOpen ? block : text.length,
      )
    },
  }
}

const base62 = '0123456789ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz'

/** The last six characters are a CRC-32 of what stands between the prefix and them, in base 62 (GitHub's and npm's format). */
function hasChecksum(token: string): boolean {
  let number = crc32(token.slice(token.indexOf('_') + 1, -6))
  let digits = ''
  for (let place = 0; place < 6; place += 1) {
    digits = base62.charAt(number % 62) + digits
    number = Math.floor(number / 62)
  }
  return token.endsWith(digits)
}

/** Its head is a JOSE header (RFC 7515, section 4). */
function hasTokenHead(token: string): boolean {
  try {
    const head: unknown = JSON.parse(Buffer.from(token.slice(0, token.indexOf('.')), 'base64url').toString('utf8'))
    return typeof head === 'object' && head !== null && 'alg' in head
  } catch {
    return false
  }
}

/** A word with dashes is none. */
function isOpenaiKey(token: string): boolean {
  return !token.startsWith('sk-ant-') && /\d/.test(token) && /[A-Z]/.test(token)
}

/** What stands in documentation in the place of one is none. */
function hasPassword(address: string): boolean {
  const password = address.slice(address.indexOf(':', address.indexOf('://') + 3) + 1, -1)
  return !/^(?:\$\{?[\w.:-]{1,100}\}?|\*+|x+|pass(?:word)?|secret)$/i.test(password)
}
