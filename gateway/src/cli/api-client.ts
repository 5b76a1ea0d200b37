/** `/api` of a running gateway, for verbs that rule or look after something in somebody's name. */
import type { Command } from 'commander'
import { errorCodes, type ErrorCodeName } from '@turnward/contract/error-codes'
import { TurnwardError } from '../core/error.ts'
import { isObject, type JsonObject } from '../core/json.ts'

export interface ApiOptions {
  readonly url: string
  readonly key?: string | undefined
}

/** How verbs that ask a running gateway are told which, and as whom. */
export function withApiOptions(command: Command): Command {
  return command
    .option('--url <url>', 'address of the gateway', process.env.TURNWARD_URL ?? 'http://127.0.0.1:4100')
    .option('--key <key>', 'virtual key of scope `admin`; better in the variable TURNWARD_KEY, which no process list shows')
}

const deadlineMs = 30_000

/** A path with a query; what is undefined is left out. */
export function pathOf(path: string, query: Readonly<Record<string, string | undefined>>): string {
  const given = Object.entries(query).filter((entry): entry is [string, string] => entry[1] !== undefined)
  return given.length === 0 ? path : `${path}?${new URLSearchParams(given).toString()}`
}

/** Asks. Throws the gateway's own error, or `gateway.unreachable` when nobody answers. `body`: sent with POST. */
export async function askApi({ url, key = process.env.TURNWARD_KEY }: ApiOptions, path: string, body?: JsonObject): Promise<JsonObject> {
  if (key === undefined) throw new TurnwardError('auth.missing_key', { fix: 'Set TURNWARD_KEY or use --key, with a key of scope `admin`.' })
  const address = url.replace(/\/$/, '')
  const answer = await fetch(`${address}${path}`, {
    method: body === undefined ? 'GET' : 'POST',
    headers: { authorization: `Bearer ${key}`, ...(body === undefined ? {} : { 'content-type': 'application/json' }) },
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
