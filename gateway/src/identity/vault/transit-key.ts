/**
 * A key in a transit engine of Vault or OpenBao: it is asked to seal and to open data keys, and never gives the key away. What a
 * sealed data key belongs to is sealed with it, because not every kind of key there takes associated data.
 */
import type { Config } from '@turnward/contract/config'
import { TurnwardError } from '../../core/error.ts'
import { isObject } from '../../core/json.ts'
import type { SealingKey } from './sealing-keys.ts'

type TransitSettings = NonNullable<NonNullable<Config['identity']['vault']>['transit']>

/** An answer is a few hundred characters. */
const longestAnswer = 64 * 1024

export function transitKey({ url, key, token, mount, namespace, timeout_ms: timeoutMs }: TransitSettings): SealingKey {
  const ask = async (what: 'encrypt' | 'decrypt', body: object): Promise<Record<string, unknown>> => {
    const response = await fetch(`${url.replace(/\/$/, '')}/v1/${mount}/${what}/${key}`, {
      method: 'POST',
      redirect: 'error',
      signal: AbortSignal.timeout(timeoutMs),
      headers: {
        'content-type': 'application/json',
        'x-vault-token': token,
        ...(namespace === undefined ? {} : { 'x-vault-namespace': namespace }),
      },
      body: JSON.stringify(body),
    }).catch((cause: unknown) => {
      throw unreachable(url, cause instanceof Error ? cause.message : 'it did not answer')
    })
    const text = await response.text()
    if (!response.ok) throw unreachable(url, `it answered ${response.status} to \`${what}\``)
    const answer: unknown = text.length > longestAnswer ? undefined : parse(text)
    const data = isObject(answer) ? answer.data : undefined
    if (!isObject(data)) throw unreachable(url, 'its answer is none of a transit engine')
    return data
  }
  return {
    id: `transit:${mount}/${key}`,
    async seal(dataKey, boundTo) {
      const { ciphertext } = await ask('encrypt', { plaintext: plaintextOf(dataKey, boundTo) })
      if (typeof ciphertext !== 'string') throw unreachable(url, 'its answer holds no `ciphertext`')
      return ciphertext
    },
    async open(sealed, boundTo) {
      const { plaintext } = await ask('decrypt', { ciphertext: sealed })
      if (typeof plaintext !== 'string') throw unreachable(url, 'its answer holds no `plaintext`')
      const opened = Buffer.from(plaintext, 'base64')
      const dataKey = opened.subarray(0, 32)
      return opened.length > 32 && plaintextOf(dataKey, boundTo) === plaintext ? Buffer.from(dataKey) : undefined
    },
  }
}

function plaintextOf(dataKey: Uint8Array, boundTo: string): string {
  return Buffer.concat([dataKey, Buffer.from(boundTo)]).toString('base64')
}

function parse(text: string): unknown {
  try {
    return JSON.parse(text)
  } catch {
    return undefined
  }
}

function unreachable(url: string, why: string): TurnwardError {
  return new TurnwardError('vault.unreachable', { subject: new URL(url).host, why })
}
