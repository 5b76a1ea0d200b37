/** What a server says of itself (RFC 9728): what it is called, who issues tokens for it, which scopes there are. */
import { z } from 'zod'
import type { Challenge } from './auth-kind.ts'
import { ask, NotReached, type Reach, type Resolve } from './reaching.ts'

export interface ResourceMetadata {
  /** What tokens for it name as their audience. */
  readonly resource: string
  /** Issuers of the authorization servers, as it writes them; at least one. */
  readonly issuers: readonly string[]
  readonly scopes: readonly string[] | undefined
}

const documentSchema = z.object({
  resource: z.string().min(1).max(2048),
  authorization_servers: z.array(z.string().min(1).max(2048)).min(1).max(32),
  scopes_supported: z.array(z.string().max(256)).max(256).optional(),
})

/** Where it is looked for: where the server says, below the path of the server, at the root (MCP authorization, "Protected Resource Metadata Discovery"). */
export function metadataAddresses(server: string, challenge: Pick<Challenge, 'resourceMetadata'> | undefined): readonly string[] {
  const { origin, pathname } = new URL(server)
  const path = pathname === '/' ? [] : [`${origin}/.well-known/oauth-protected-resource${pathname.replace(/\/$/, '')}`]
  const named = challenge?.resourceMetadata === undefined ? [] : [challenge.resourceMetadata]
  return [...named, ...path, `${origin}/.well-known/oauth-protected-resource`]
}

/**
 * Whether what a server says it is can be the server that was asked: the same origin, and its path or one above. Anything else
 * would have a token made for somebody else.
 */
export function namesServer(resource: string, server: string): boolean {
  const said = URL.parse(resource)
  const asked = new URL(server)
  if (said === null || said.origin !== asked.origin || said.hash !== '' || said.username !== '' || said.password !== '') return false
  const [above, below] = [said, asked].map(({ pathname }) => (pathname.endsWith('/') ? pathname : `${pathname}/`))
  return above !== undefined && below?.startsWith(above) === true && (said.search === '' || said.search === asked.search)
}

/** What the server says, from the first place that says anything; undefined where none does. Rejects with a `NotReached`. */
export async function findResourceMetadata(
  server: string,
  challenge: Pick<Challenge, 'resourceMetadata'> | undefined,
  reach: Reach,
  signal: AbortSignal,
  resolve?: Resolve,
): Promise<ResourceMetadata | undefined> {
  const { origin } = new URL(server)
  const own = { ...reach, trusted: [...reach.trusted, origin], plain: [origin] }
  for (const address of metadataAddresses(server, challenge)) {
    const response = await ask(address, { signal }, own, resolve)
    if (response.status >= 400 && response.status < 500) continue
    if (response.status !== 200) throw new NotReached(`what the server says of itself cannot be had (HTTP ${response.status})`)
    const read = documentSchema.safeParse(await response.json().catch(() => undefined))
    if (!read.success) throw new NotReached('what the server says of itself is not what RFC 9728 wants')
    const { resource, authorization_servers: issuers, scopes_supported: scopes } = read.data
    if (!namesServer(resource, server)) throw new NotReached('the server says that it is another one (`resource`)')
    return { resource, issuers, scopes }
  }
  return undefined
}
