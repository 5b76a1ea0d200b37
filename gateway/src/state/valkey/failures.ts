/** What a failing server means, in words that hold no address, user or password. */

const byCode: Readonly<Record<string, string>> = {
  ENOTFOUND: 'the host name is not known',
  EAI_AGAIN: 'the host name cannot be looked up now',
  ECONNREFUSED: 'nothing listens at the address',
  ECONNRESET: 'the connection was cut',
  EPIPE: 'the connection was cut',
  ETIMEDOUT: 'the address does not answer',
  EHOSTUNREACH: 'the host cannot be reached',
  ENETUNREACH: 'the network cannot be reached',
  CERT_HAS_EXPIRED: 'the certificate of the server has expired',
  ERR_TLS_CERT_ALTNAME_INVALID: 'the certificate of the server is for another host name',
  ERR_SSL_WRONG_VERSION_NUMBER: 'the server does not speak TLS at this port',
  ERR_SSL_PACKET_LENGTH_TOO_LONG: 'the server does not speak TLS at this port',
}

/** By how the server's own answer begins. */
const byReply: readonly (readonly [string, string])[] = [
  ['WRONGPASS', 'the server refuses the user or the password'],
  ['ERR AUTH', 'the server refuses the user or the password'],
  ['ERR invalid password', 'the server refuses the user or the password'],
  ['NOAUTH', 'the server asks for a password, and the address has none'],
  ['NOPERM', 'the user may not run the commands that are needed: GET, MGET, SET, EVAL, EVALSHA, PUBLISH, SUBSCRIBE, PING, TIME and INFO'],
  ['OOM', 'the server has no memory left'],
  ['READONLY', 'the server is a replica that cannot be written to'],
  ['MISCONF', 'the server cannot write its disk'],
  ['LOADING', 'the server is still loading its data'],
  ['CLUSTERDOWN', 'the cluster is down'],
  ['MOVED', 'the server is one of a cluster: write `redis+cluster://`'],
  ['ERR DB index', 'the server has no such database'],
  ['ERR This instance has cluster support disabled', 'the server is not part of a cluster: write `redis://`'],
]

/** One phrase for why the server cannot be used. */
export function describeValkeyFailure(error: unknown): string {
  const { code, message } = partsOf(error)
  const known = byCode[code] ?? byReply.find(([start]) => message.startsWith(start))?.[1]
  if (known !== undefined) return known
  if (/CERT|SIGNATURE|ISSUER/.test(code)) return 'the certificate of the server cannot be verified; name its authority as `ca`'
  if (message.startsWith('All sentinels are unreachable')) return 'no sentinel answers, or none knows the primary'
  return 'the connection is lost'
}

/** Whether the server has answered, and the answer was no: trying the same again changes nothing. */
export function isRefusedByServer(error: unknown): boolean {
  const { message } = partsOf(error)
  return (
    error instanceof Error &&
    error.name === 'ReplyError' &&
    !/^(?:LOADING|CLUSTERDOWN|READONLY|MASTERDOWN|TRYAGAIN|UNBLOCKED)/.test(message)
  )
}

interface Parts {
  readonly code: string
  readonly message: string
}

function partsOf(error: unknown): Parts {
  if (!(error instanceof Error)) return { code: '', message: '' }
  const { code, lastNodeError } = error as { code?: unknown; lastNodeError?: unknown }
  if (lastNodeError instanceof Error) return partsOf(lastNodeError)
  return { code: typeof code === 'string' ? code : '', message: error.message }
}
