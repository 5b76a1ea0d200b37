/**
 * One call of a tool as an HTTP request. Where it goes and with which credential is the configuration's; what a caller gives goes
 * into the places that the document has for it, and nowhere else. Pure but for the boundary of a multipart body.
 */
import type { ApiOperation } from '../../../config/openapi/api.ts'
import type { JsonObject } from '../../../core/json.ts'
import { ArgumentProblem } from './argument-problem.ts'
import { cookieText, headerText, queryPairs } from './parameter-text.ts'
import { requestBody } from './request-body.ts'
import { requestPath } from './request-path.ts'

/** What the configuration sends with every request. */
export interface OwnParts {
  /** Path that all others are below; no slash at the end. */
  readonly basePath: string
  /** Names in lower case. */
  readonly headers: Readonly<Record<string, string>>
  readonly query: Readonly<Record<string, string>>
}

export interface ApiRequest {
  readonly path: string
  /** Names in lower case. */
  readonly headers: Readonly<Record<string, string>>
  readonly body: Buffer | string | null
}

const longestPath = 16 * 1024
const longestHeaders = 16 * 1024

/** Throws `ArgumentProblem`. */
export function apiRequest(operation: ApiOperation, given: JsonObject, own: OwnParts): ApiRequest {
  const args = { ...given, ...operation.fixed }
  const path = `${own.basePath}${requestPath(operation, args)}`
  const names = new Set([...Object.keys(own.query), ...operation.parameters.map(({ name }) => name)].map((name) => name.toLowerCase()))
  const pairs: (readonly [string, string])[] = []
  const headers: Record<string, string> = {}
  const cookies: string[] = []
  for (const parameter of operation.parameters) {
    const value = Object.hasOwn(args, parameter.argument) ? args[parameter.argument] : undefined
    if (parameter.place === 'path' || value === undefined || (value === null && !parameter.required)) continue
    if (parameter.place === 'query') pairs.push(...queryPairs(parameter, value, (name) => names.has(name.toLowerCase())))
    else if (parameter.place === 'header') headers[parameter.name.toLowerCase()] = headerText(parameter, value)
    else cookies.push(cookieText(parameter, value))
  }
  pairs.push(...Object.entries(own.query))
  const query = pairs
    .map(([name, value]) => `${encodeURIComponent(name.toWellFormed())}=${encodeURIComponent(value.toWellFormed())}`)
    .join('&')
  const body = requestBody(operation.body, Object.hasOwn(args, 'body') ? args.body : undefined, operation.fixedBody)
  const target = query === '' ? path : `${path}?${query}`
  if (target.length > longestPath) throw new ArgumentProblem('arguments', 'are too long for an address')
  const all = {
    'user-agent': 'turnward',
    ...headers,
    ...(cookies.length === 0 ? {} : { cookie: cookies.join('; ') }),
    // What is configured wins, whatever a document calls its parameters.
    ...own.headers,
    accept: 'application/json, */*;q=0.5',
    'accept-encoding': 'identity',
    ...(body === undefined ? {} : { 'content-type': body.contentType }),
  }
  if (Object.values(all).join('').length > longestHeaders) throw new ArgumentProblem('arguments', 'are too long for headers')
  return { path: target, headers: all, body: body === undefined ? null : body.bytes }
}
