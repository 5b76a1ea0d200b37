/** `/api` of a running gateway, for verbs that rule or look after something in somebody's name. */
import { errorCodes, type ErrorCodeName } from '@turnward/contract/error-codes'
import { TurnwardError } from '../core/error.ts'
import { isObject, type JsonObject } from '../core/json.ts'

export interface ApiOptions {
  readonly url: string
  readonly key?: string | undefined
}

const deadlineMs = 30_000

/** A path with a query; what is undefined is left out. */
export function pathOf(path: string, query: Readonly<Record<string, string | undefined>>): string {
  const given = Object.entries(query).filter((entry): entry is [string, string] => entry[1] !== undefined)
  return given.length === 0 ? path : `${path}?${new URLSearchParams(given).toString()}`
}

/** What is sent with a question. */
export interface AskedWith {
  /** Sent with POST. */
  readonly body?: JsonObject
  /** Default: POST with a body, else GET. */
  readonly method?: 'POST'
  readonly headers?: Readonly<Record<string, string>>
}

/** Asks. Throws the gateway's own error, or `gateway.unreachable` when nobody answers. */
export async function askApi(
  { url, key = process.env.TURNWARD_KEY }: ApiOptions,
  path: string,
  { body, method = body === undefined ? undefined : 'POST', headers = {} }: AskedWith = {},
): Promise<JsonObject> {
  if (key === undefined) throw new TurnwardError('auth.missing_key', { fix: 'Set TURNWARD_KEY or use --key, with a key of scope `admin`.' })
  const address = url.replace(/\/$/, '')
  const answer = await fetch(`${address}${path}`, {
    method: method ?? 'GET',
    headers: { ...headers, authorization: `Bearer ${key}`, ...(body === undefined ? {} : { 'content-type': 'application/json' }) },
    ...(body === undefined ? {} : { body: JSON.stringify(body) }),
    redirect: 'manual',
    signal: AbortSignal.timeout(deadlineMs),
  }).catch((cause: unknown) => {
    throw new TurnwardError('gateway.unreachable', {
      subject: address,
      why: 'nobody answers there',
      cause,
    })
  })
  const told: unknown = await answer.json().catch(() => undefined)
  if (answer.ok && isObject(told)) return told
  const error = isObject(told) && isObject(told.error) ? told.error : {}
  const { code, subject, why } = error
  if (typeof code === 'string' && Object.hasOwn(errorCodes, code))
    throw new TurnwardError(code as ErrorCodeName, {
      ...(typeof subject === 'string' ? { subject } : {}),
      ...(typeof why === 'string' ? { why } : {}),
    })
  throw new TurnwardError('gateway.unreachable', { subject: address, why: `it answered ${answer.status}; is this Turnward?` })
}
