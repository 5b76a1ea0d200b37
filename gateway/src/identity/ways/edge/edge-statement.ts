/** What the headers of an edge say of a caller, read strictly. */
import type { IncomingHttpHeaders } from 'node:http'
import { invalid, listedValues, singleValue } from './header-values.ts'
import type { TrustedEdge } from './trusted-edges.ts'

export interface Statement {
  /** As the edge knows the person; undefined where it does not say. */
  readonly user: string | undefined
  /** What the edge never gives to another. */
  readonly subject: string | undefined
  readonly groups: readonly string[]
  readonly emails: readonly string[]
  /** The application. */
  readonly consumer: string | undefined
  /** Id of the credential that the edge has checked. */
  readonly credential: string | undefined
}

/** Throws `request.invalid` for what could be read in two ways. */
export function readStatement({ headers: names }: Pick<TrustedEdge, 'headers'>, headers: IncomingHttpHeaders): Statement | 'anonymous' {
  const read = (name: string | undefined): string | undefined => (name === undefined ? undefined : singleValue(headers, name))
  const anonymous = read(names.anonymous)?.toLowerCase()
  if (anonymous === 'true') return 'anonymous'
  if (anonymous !== undefined && anonymous !== 'false') throw invalid(names.anonymous ?? '', 'it is neither `true` nor `false`')
  // All of them are read: one that is no good is refused, whichever counts.
  const [user] = names.user.map(read).filter((value) => value !== undefined)
  const groups = [...new Set(names.groups.flatMap((name) => listedValues(headers, name)))]
  const email = read(names.email)
  if (email !== undefined && !/^[^\s@,;<>]+@[^\s@,;<>]+$/.test(email)) throw invalid(names.email ?? '', 'it is no address')
  const [subject, consumer, credential] = [names.subject, names.consumer, names.credential].map(read)
  return { user, subject: subject ?? user, groups, emails: email === undefined ? [] : [email], consumer, credential }
}
