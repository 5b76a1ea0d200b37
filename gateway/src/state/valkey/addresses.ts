/** Reads the address of the shared state. What is wrong is said without quoting: it holds a password. */
import { TurnwardError } from '../../core/error.ts'

export interface ValkeyAddress {
  readonly kind: 'single' | 'sentinel' | 'cluster'
  readonly hosts: readonly { readonly host: string; readonly port: number }[]
  readonly isSecure: boolean
  readonly user: string | undefined
  readonly password: string | undefined
  readonly database: number
  /** What the sentinels call the server. */
  readonly primary: string | undefined
}

const pattern = /^(?:redis|valkey)(s?)(?:\+(sentinel|cluster))?:\/\/(?:([^\s/@:]*)(?::([^\s/@]*))?@)?([^\s/@]+)(?:\/([^\s?#]*))?$/

/** Throws `config.invalid` for what could not be meant. */
export function readValkeyAddress(text: string): ValkeyAddress {
  const parts = pattern.exec(text)
  if (parts === null) throw invalid('is no address of a Valkey or Redis server')
  const [, secure = '', kind = 'single', user = '', password = '', hosts = '', path = ''] = parts
  const isSentinel = kind === 'sentinel'
  if (isSentinel && path === '') throw invalid('names no primary: `redis+sentinel://a:26379,b:26379/primary`')
  if (!isSentinel && !/^\d{0,5}$/.test(path)) throw invalid('ends in something that is no number of a database')
  const database = isSentinel || path === '' ? 0 : Number(path)
  if (kind === 'cluster' && database !== 0) throw invalid('names a database, and a cluster has only one')
  return {
    kind: kind as ValkeyAddress['kind'],
    hosts: hosts.split(',').map((host) => readHost(host, isSentinel ? 26_379 : 6379)),
    isSecure: secure === 's',
    user: user === '' ? undefined : decode(user),
    password: password === '' ? undefined : decode(password),
    database,
    primary: isSentinel ? decode(path) : undefined,
  }
}

function readHost(text: string, port: number): { host: string; port: number } {
  const parts = /^(?:\[([0-9a-fA-F:.]+)\]|([A-Za-z0-9_.-]+))(?::(\d{1,5}))?$/.exec(text)
  if (parts === null) throw invalid('has a host that is none: `host:port`, several separated by commas')
  const given = parts[3] === undefined ? port : Number(parts[3])
  if (given < 1 || given > 65_535) throw invalid('has a port that is none')
  return { host: parts[1] ?? parts[2] ?? '', port: given }
}

function decode(text: string): string {
  try {
    return decodeURIComponent(text)
  } catch {
    throw invalid('has a user or password that is not percent-encoded')
  }
}

function invalid(why: string): TurnwardError {
  return new TurnwardError('config.invalid', { subject: 'state.url', why })
}
