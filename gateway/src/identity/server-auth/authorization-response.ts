/** What a browser brings back from an authorization server, checked against where it was sent (RFC 6749, RFC 9207). Pure. */
import { LinkDeclined } from '../on-behalf/link-engine.ts'
import { NotReached } from './reaching.ts'

export interface ExpectedResponse {
  /** The issuer as its metadata has it. */
  readonly issuer: string
  /** Whether it says that it names itself in its responses. */
  readonly namesItself: boolean
}

const errorCode = /^[a-z0-9_.-]{1,64}$/i
const once = ['code', 'iss', 'error'] as const

/**
 * The code. `iss` is compared before anything else is looked at, and character by character: a response of another authorization
 * server must end here, an error of it included. Throws a `NotReached` or a `LinkDeclined`.
 */
export function codeOf(answer: URLSearchParams, { issuer, namesItself }: ExpectedResponse): string {
  for (const name of once)
    if (answer.getAll(name).length > 1) throw new NotReached(`the authorization server answered with more than one \`${name}\``)
  const iss = answer.get('iss')
  if (iss === null && namesItself)
    throw new NotReached('the authorization server did not name itself in its answer (`iss`), as it says it does')
  if (iss !== null && iss !== issuer)
    throw new NotReached('the answer is of another authorization server (`iss`) than the browser was sent to')
  const error = answer.get('error')
  if (error !== null) throw new LinkDeclined(errorCode.test(error) ? error : 'error')
  const code = answer.get('code')
  if (code === null || code === '' || code.length > 8192) throw new NotReached('the authorization server answered without a code')
  return code
}
