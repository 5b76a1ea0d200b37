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
  /** Ends the waiting; after half a minute without it. */
  readonly signal?: AbortSignal
}

/** Asks. Throws the gateway's own error, or `gateway.unreachable` when nobody answers. */
export async function askApi(options: ApiOptions, path: string, asked: AskedWith = {}): Promise<JsonObject> {
  const answer = await openApi(options, path, { signal: AbortSignal.timeout(deadlineMs), ...asked })
  const told: unknown = await answer.json().catch(() => undefined)
  if (isObject(told)) return told
  throw notOurs(options, answer)
}

/** Asks; the answer is still to be read. Throws as `askApi`. */
export async function openApi(
  { url, key = process.env.TURNWARD_KEY }: ApiOptions,
  path: string,
  { body, method = body === undefined ? undefined : 'POST', headers = {}, signal }: AskedWith,
): Promise<Response> {
  if (key === undefined) throw new TurnwardError('auth.missing_key', { fix: 'Set TURNWARD_KEY or use --key, with a key of scope `admin`.' })
  const address = addressOf(url)
  const answer = await fetch(`${address}${path}`, {
    method: method ?? 'GET',
    headers: { ...headers, authorization: `Bearer ${key}`, ...(body === undefined ? {} : { 'content-type': 'application/json' }) },
    ...(body === undefined ? {} : { body: JSON.stringify(body) }),
    ...(signal === undefined ? {} : { signal }),
    redirect: 'manual',
  }).catch((cause: unknown) => {
    throw new TurnwardError('gateway.unreachable', {
      subject: address,
      why: 'nobody answers there',
      cause,
    })
  })
  if (answer.ok) return answer
  const told: unknown = await answer.json().catch(() => undefined)
  const error = isObject(told) && isObject(told.error) ? told.error : {}
  const { code, subject, why } = error
  if (typeof code === 'string' && Object.hasOwn(errorCodes, code))
    throw new TurnwardError(code as ErrorCodeName, {
      ...(typeof subject === 'string' ? { subject } : {}),
      ...(typeof why === 'string' ? { why } : {}),
    })
  throw notOurs({ url }, answer)
}

function notOurs({ url }: Pick<ApiOptions, 'url'>, { status }: Response): TurnwardError {
  return new TurnwardError('gateway.unreachable', { subject: addressOf(url), why: `it answered ${status}; is this Turnward?` })
}

function addressOf(url: string): string {
  return url.replace(/\/$/, '')
}
