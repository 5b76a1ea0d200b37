/** The hosts of addresses that a server is told of: those it has to reach at least. */

const ports: Readonly<Record<string, number>> = {
  'http:': 80,
  'https:': 443,
  'postgres:': 5432,
  'postgresql:': 5432,
  'mysql:': 3306,
  'redis:': 6379,
  'rediss:': 6379,
  'mongodb:': 27_017,
}

export interface NamedHosts {
  /** `HOST`, `HOST:PORT` and `tcp:HOST:PORT`, as `servers add --network` has them. */
  readonly hosts: readonly string[]
  /** Addresses of this machine, which no sandbox reaches. */
  readonly own: readonly string[]
}

/** `words`: arguments and values of variables, as plain text. */
export function namedHosts(words: readonly string[]): NamedHosts {
  const hosts = new Set<string>()
  const own = new Set<string>()
  for (const word of words) {
    const address = /[a-z][a-z0-9+.-]*:\/\/\S+/i.exec(word)?.[0]
    const url = address !== undefined && URL.canParse(address) ? new URL(address) : undefined
    const usual = url === undefined ? undefined : ports[url.protocol]
    if (url === undefined || usual === undefined || url.hostname === '') continue
    const port = url.port === '' ? usual : Number(url.port)
    const isWeb = url.protocol.startsWith('http')
    const host = isWeb && (port === 443 || port === 80) ? url.hostname : `${isWeb ? '' : 'tcp:'}${url.hostname}:${port}`
    if (/^(?:localhost|127(?:\.\d+){3}|\[::1\]|0\.0\.0\.0|host\.docker\.internal)$/i.test(url.hostname)) own.add(host)
    else hosts.add(host)
  }
  return { hosts: [...hosts], own: [...own] }
}
